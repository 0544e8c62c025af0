using System.Globalization;
using System.Text;
using Sprint.Engine;
using Sprint.Engine.Emulation;

namespace Sprint.Train;

/// <summary>What a kernel's counters say to its author.</summary>
internal static class ProfileHints
{
    private const double GoodSectorEfficiency = 0.95;
    private const double FewDivergentBranches = 0.1;
    private const double MostLanes = 28;
    private const double WarpLanes = 32;

    /// <summary>One sentence for each thing that stands out, the bound first.</summary>
    internal static IEnumerable<string> Of(LaunchStatistics counts)
    {
        Roofline roofline = Roofline.Of(counts, PublishedRates.A100);
        if (roofline.Limits.Count > 0)
        {
            string intensity = roofline.Flops > 0 && roofline.Bytes > 0 ? $" at {Number(roofline.Intensity)} FLOPs a byte" : "";
            yield return roofline.Bound.Name switch
            {
                "memory" => $"bound by memory{intensity}: move fewer bytes, or do more with each",
                "issue" => $"bound by the issue of instructions{intensity}: fewer instructions for each byte and FLOP (vector accesses, unrolling, fewer index computations)",
                "shared memory" => $"bound by shared memory{intensity}: wider accesses, more work in registers for each",
                "tensor" => $"bound by tensor cores{intensity}: as good as it gets, if they are kept fed",
                { } precision => $"bound by {precision}-precision arithmetic{intensity}: fewer operations, or tensor cores",
            };
        }

        if (counts.GlobalSectors > 0 && (double)counts.GlobalIdealSectors / counts.GlobalSectors < GoodSectorEfficiency)
        {
            yield return $"global accesses could touch {Percent(1 - ((double)counts.GlobalIdealSectors / counts.GlobalSectors))} fewer sectors: let neighbouring lanes touch neighbouring, aligned addresses";
        }

        if (counts.SharedBankConflicts > 0)
        {
            yield return $"bank conflicts cost {Percent((double)counts.SharedBankConflicts / counts.SharedWavefronts)} of the passes through shared memory: pad or swizzle its rows";
        }

        if (counts.Branches > 0 && (double)counts.DivergentBranches / counts.Branches > FewDivergentBranches)
        {
            yield return $"{Percent((double)counts.DivergentBranches / counts.Branches)} of the branches part the lanes of a warp";
        }

        if (counts.WarpInstructions > 0 && ActiveLanes(counts) < MostLanes)
        {
            yield return $"only {Number(ActiveLanes(counts))} of 32 lanes are active on average";
        }

        if (counts.Local.Read + counts.Local.Written > 0)
        {
            yield return "local memory is used: arrays indexed at run time, addresses taken of variables, or printf";
        }

        if (counts.PartialBarriers > 0)
        {
            yield return PartialBarriers(counts);
        }

        if (counts.PartialMasks > 0)
        {
            yield return PartialMasks(counts);
        }

        if (counts.UsesFloatAtomics)
        {
            yield return "floating-point atomics make the result depend on the order of blocks and warps";
        }
    }

    /// <summary>What to do about lanes that return before a barrier.</summary>
    internal static string PartialBarriers(LaunchStatistics counts) => string.Create(
        CultureInfo.InvariantCulture,
        $"{counts.PartialBarriers} {(counts.PartialBarriers == 1 ? "time" : "times")} a warp came to __syncthreads() some of whose threads had returned: let all threads come to it and guard the work instead");

    /// <summary>What to do about lanes that return and are named by a member mask.</summary>
    internal static string PartialMasks(LaunchStatistics counts) => string.Create(
        CultureInfo.InvariantCulture,
        $"{counts.PartialMasks} {(counts.PartialMasks == 1 ? "time" : "times")} the mask of a shuffle, a vote or __syncwarp() named threads that had returned: name those that take part, or let all come to it and guard the work instead");

    /// <summary>Active lanes of a warp instruction on average.</summary>
    internal static double ActiveLanes(LaunchStatistics counts) => counts.WarpInstructions == 0 ? WarpLanes : (double)counts.LaneInstructions / counts.WarpInstructions;

    /// <summary>The kind in words: single arithmetic.</summary>
    internal static string NameOf(InstructionKind kind)
    {
        var name = new StringBuilder();
        foreach (char letter in kind.ToString())
        {
            name.Append(char.IsAsciiLetterUpper(letter) && name.Length > 0 ? " " : "").Append(char.ToLowerInvariant(letter));
        }

        return name.ToString();
    }

    private static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    private static string Percent(double fraction) => fraction.ToString("P0", CultureInfo.InvariantCulture);
}
