using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sprint.Bench.Results;

/// <summary>Where figures come from.</summary>
/// <param name="Processor">The processor's name.</param>
/// <param name="Cores">How many logical cores there are.</param>
/// <param name="VectorBits">The widest vectors that are fast.</param>
/// <param name="MemoryBytes">Memory that the process may use.</param>
/// <param name="OperatingSystem">The system.</param>
/// <param name="Runtime">The version of .NET.</param>
/// <param name="Version">The version of Sprint.</param>
/// <param name="Commit">The commit that Sprint was built from, or <c>unknown</c> where it was built outside a repository.</param>
internal sealed record MachineInformation(
    string Processor, int Cores, int VectorBits, long MemoryBytes, string OperatingSystem, string Runtime, string Version, string Commit)
{
    /// <summary>This machine and build.</summary>
    public static MachineInformation Read()
    {
        string version = typeof(MachineInformation).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        string[] parts = version.Split('+', 2);
        int bits = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
        return new MachineInformation(
            ProcessorName(),
            Environment.ProcessorCount,
            bits,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription,
            parts[0],
            parts.Length > 1 ? parts[1] : "unknown");
    }

    /// <summary>One line for people.</summary>
    public override string ToString() =>
        $"{Processor}, {Cores} cores, {VectorBits}-bit vectors, {MemoryBytes / (double)(1 << 30):0.#} GiB; {OperatingSystem}; {Runtime}; Sprint {Version}, commit {Commit[..Math.Min(12, Commit.Length)]}";

    /// <summary>Whether two runs' times can be compared.</summary>
    public bool IsSameMachine(MachineInformation other) =>
        (Processor, Cores, VectorBits, OperatingSystem) == (other.Processor, other.Cores, other.VectorBits, other.OperatingSystem);

    private static string ProcessorName()
    {
        const string list = "/proc/cpuinfo";
        if (File.Exists(list))
        {
            string? name = File.ReadLines(list).FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal));
            if (name is not null)
                return name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }

        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? $"{RuntimeInformation.ProcessArchitecture} processor";
    }
}
