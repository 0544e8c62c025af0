using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation;

/// <summary>Bytes that lanes read and write in one state space.</summary>
/// <param name="Read">Bytes read.</param>
/// <param name="Written">Bytes written.</param>
public readonly record struct SpaceTraffic(long Read, long Written);

/// <summary>What a launch executed. Lane counts are of active lanes; everything is the same for any number of workers, but for what blocks execute while they wait for each other.</summary>
public sealed class LaunchStatistics
{
    private readonly long[] warpCounts = new long[Enum.GetValues<InstructionKind>().Length];
    private readonly long[] laneCounts = new long[Enum.GetValues<InstructionKind>().Length];

    internal LaunchStatistics(string kernel)
    {
        Kernel = kernel;
    }

    /// <summary>The kernel.</summary>
    public string Kernel { get; }

    /// <summary>Blocks executed.</summary>
    public long Blocks { get; internal set; }

    /// <summary>Instructions that warps issued.</summary>
    public long WarpInstructions => warpCounts.Sum();

    /// <summary>Instructions times active lanes.</summary>
    public long LaneInstructions => laneCounts.Sum();

    /// <summary>Floating-point operations on 32 bits; a fused multiply-add is 2.</summary>
    public long SingleFlops { get; private set; }

    /// <summary>Floating-point operations on 64 bits.</summary>
    public long DoubleFlops { get; private set; }

    /// <summary>Floating-point operations on 16 bits outside tensor cores.</summary>
    public long HalfFlops { get; private set; }

    /// <summary>Operations of tensor cores; a multiply-add is 2.</summary>
    public long TensorFlops { get; private set; }

    /// <summary>Traffic of global memory, constant data and generic addresses included, as lanes ask for it.</summary>
    public SpaceTraffic Global { get; private set; }

    /// <summary>Traffic of shared memory.</summary>
    public SpaceTraffic Shared { get; private set; }

    /// <summary>Traffic of local memory.</summary>
    public SpaceTraffic Local { get; private set; }

    /// <summary>Whether floating-point atomics ran, so that the result depends on the order of blocks and warps.</summary>
    public bool UsesFloatAtomics { get; private set; }

    /// <summary>
    /// How often a warp came to <c>__syncthreads()</c> without lanes that had returned early. GPUs since compute capability 7.0 do not wait for
    /// them, but CUDA C++ calls it undefined: the condition of a barrier must be the same in the whole block.
    /// </summary>
    public long PartialBarriers { get; private set; }

    /// <summary>
    /// How often the member mask of a shuffle, a vote or <c>__syncwarp()</c> named lanes that had returned early. GPUs since compute capability 7.0 go on without them,
    /// but CUDA C++ calls it undefined unless all threads of the mask that have not ended come to the instruction.
    /// </summary>
    public long PartialMasks { get; private set; }

    /// <summary>What the kernel printed, block after block.</summary>
    public string Output { get; internal set; } = "";

    /// <summary>Requests of warps to global memory; 0 unless <see cref="EmulationOptions.Counters"/>.</summary>
    public long GlobalRequests { get; private set; }

    /// <summary>32-byte sectors that global requests touch.</summary>
    public long GlobalSectors { get; private set; }

    /// <summary>The fewest sectors that could have held the same distinct bytes.</summary>
    public long GlobalIdealSectors { get; private set; }

    /// <summary>Requests of warps to shared memory.</summary>
    public long SharedRequests { get; private set; }

    /// <summary>Passes through the banks that shared requests take; of an atomic operation one for each lane that names the same word.</summary>
    public long SharedWavefronts { get; private set; }

    /// <summary>Passes beyond what requests without bank conflicts would take.</summary>
    public long SharedBankConflicts { get; private set; }

    /// <summary>Conditional branches that warps executed.</summary>
    public long Branches { get; private set; }

    /// <summary>Branches at which lanes of a warp parted.</summary>
    public long DivergentBranches { get; private set; }

    /// <summary>Instructions of a kind that warps issued.</summary>
    public long WarpInstructionsOf(InstructionKind kind) => warpCounts[(int)kind];

    /// <summary>Instructions of a kind times active lanes.</summary>
    public long LaneInstructionsOf(InstructionKind kind) => laneCounts[(int)kind];

    internal unsafe void Add(KernelProgram program, BlockExecutor executor)
    {
        foreach (InstructionInfo info in program.Info)
        {
            if (info.Cost.Kind == InstructionKind.None)
                continue;
            long* counts = info.GuardSlot >= 0 ? executor.GuardCounts + info.GuardSlot * 2 : executor.BlockCounts + info.Block * 2;
            Add(info.Cost, counts[0], counts[1]);
        }
        PartialBarriers += executor.PartialBarriers;
        PartialMasks += executor.PartialMasks;
        if (executor.Counters is { } counters)
            Add(counters);
    }

    private void Add(in InstructionCost cost, long warps, long lanes)
    {
        warpCounts[(int)cost.Kind] += warps;
        laneCounts[(int)cost.Kind] += lanes;
        SingleFlops += cost.SingleFlops * lanes;
        DoubleFlops += cost.DoubleFlops * lanes;
        HalfFlops += cost.HalfFlops * lanes;
        TensorFlops += cost.TensorFlopsPerWarp * warps;
        if (cost.Kind == InstructionKind.Atomic && cost.SingleFlops + cost.DoubleFlops + cost.HalfFlops > 0)
            UsesFloatAtomics |= lanes > 0;
        SpaceTraffic traffic = new(cost.BytesRead * lanes, cost.BytesWritten * lanes);
        switch (cost.Space)
        {
            case PtxSpace.Global or PtxSpace.Constant or PtxSpace.Generic when cost.Kind == InstructionKind.AsyncCopy:
                Global = Sum(Global, traffic with { Written = 0 });
                Shared = Sum(Shared, traffic with { Read = 0 });
                break;
            case PtxSpace.Global or PtxSpace.Constant or PtxSpace.Generic:
                Global = Sum(Global, traffic);
                break;
            case PtxSpace.Shared:
                Shared = Sum(Shared, traffic);
                break;
            case PtxSpace.Local:
                Local = Sum(Local, traffic);
                break;
        }
    }

    private void Add(AccessCounters counters)
    {
        GlobalRequests += counters.GlobalRequests;
        GlobalSectors += counters.GlobalSectors;
        GlobalIdealSectors += counters.GlobalIdealSectors;
        SharedRequests += counters.SharedRequests;
        SharedWavefronts += counters.SharedWavefronts;
        SharedBankConflicts += counters.SharedWavefronts - counters.SharedIdealWavefronts;
        Branches += counters.Branches;
        DivergentBranches += counters.DivergentBranches;
    }

    private static SpaceTraffic Sum(SpaceTraffic a, SpaceTraffic b) => new(a.Read + b.Read, a.Written + b.Written);
}
