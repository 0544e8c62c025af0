using System.Globalization;
using System.Text.RegularExpressions;

namespace Sprint.Engine.Cuda;

/// <summary>What a kernel needs on one architecture, as the assembler reports it.</summary>
/// <param name="Kernel">The entry point's exact name.</param>
/// <param name="Architecture">The architecture, e.g. sm_80.</param>
/// <param name="Registers">32-bit registers a thread.</param>
/// <param name="StackBytes">Bytes of stack frame a thread: arrays that are not in registers, and spilled registers.</param>
/// <param name="SpillStoreBytes">Bytes a thread stores because registers ran out.</param>
/// <param name="SpillLoadBytes">Bytes a thread loads because registers ran out.</param>
/// <param name="SharedBytes">Bytes of static shared memory a block.</param>
/// <param name="ConstantBytes">Bytes of constant memory, parameters included.</param>
public sealed partial record KernelResources(
    string Kernel,
    string Architecture,
    int Registers,
    int StackBytes,
    int SpillStoreBytes,
    int SpillLoadBytes,
    int SharedBytes,
    int ConstantBytes)
{
    /// <summary>Reads what "ptxas -v" wrote into a log: one record for each entry function, in the log's order.</summary>
    internal static IReadOnlyList<KernelResources> Parse(string log)
    {
        List<KernelResources> result = [];
        KernelResources? current = null;
        string? properties = null;
        foreach (string line in log.Split('\n'))
        {
            if (EntryFunction().Match(line) is { Success: true } entry)
            {
                current = new KernelResources(entry.Groups["name"].Value, entry.Groups["architecture"].Value, 0, 0, 0, 0, 0, 0);
            }
            else if (FunctionProperties().Match(line) is { Success: true } function)
            {
                properties = function.Groups["name"].Value;
            }
            else if (current is not null && properties == current.Kernel && Stack().Match(line) is { Success: true } stack)
            {
                // A called function that was not inlined has properties of its own, which are not the kernel's.
                current = current with
                {
                    StackBytes = Number(stack, "stack"),
                    SpillStoreBytes = Number(stack, "stores"),
                    SpillLoadBytes = Number(stack, "loads"),
                };
            }
            else if (current is not null && Used().Match(line) is { Success: true } used)
            {
                result.Add(current with
                {
                    Registers = Number(used, "registers"),
                    SharedBytes = SharedMemory().Match(line) is { Success: true } shared ? Number(shared, "bytes") : 0,
                    ConstantBytes = ConstantMemory().Matches(line).Sum(static match => Number(match, "bytes")),
                });
                current = null;
            }
        }

        return result;
    }

    /// <summary>The log without the assembler's report: what is left are the compiler's messages.</summary>
    internal static string StripReport(string log) =>
        string.Join('\n', log.Split('\n').Where(static line => !Report().IsMatch(line))).Trim();

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("Compiling entry function '(?<name>[^']+)' for '(?<architecture>[^']+)'")]
    private static partial Regex EntryFunction();

    [GeneratedRegex(@"Function properties for (?<name>\S+)")]
    private static partial Regex FunctionProperties();

    [GeneratedRegex(@"(?<stack>\d+) bytes stack frame, (?<stores>\d+) bytes spill stores, (?<loads>\d+) bytes spill loads")]
    private static partial Regex Stack();

    [GeneratedRegex(@"Used (?<registers>\d+) registers")]
    private static partial Regex Used();

    [GeneratedRegex(@"(?<bytes>\d+)(\+\d+)? bytes smem")]
    private static partial Regex SharedMemory();

    [GeneratedRegex(@"(?<bytes>\d+) bytes cmem\[\d+\]")]
    private static partial Regex ConstantMemory();

    [GeneratedRegex(@"^ptxas\s+(info\s*:|\.)")]
    private static partial Regex Report();
}
