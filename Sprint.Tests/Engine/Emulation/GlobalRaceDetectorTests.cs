using NUnit.Framework;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>The detector of races in global memory without a kernel that runs.</summary>
public sealed unsafe class GlobalRaceDetectorTests
{
    private const string Ptx = """
        .version 7.8
        .target sm_80
        .address_size 64
        .visible .entry store(.param .u64 at)
        {
            .reg .b64 %rd<2>;
            ld.param.u64 %rd1, [at];
            st.global.u32 [%rd1], 1;
            ret;
        }
        """;

    [Test]
    public void An_exception_while_a_line_is_looked_at_leaves_it_as_it_was_and_unlocked([Values(128, 4)] int bytes)
    {
        using EmulatorHarness harness = new(Ptx);
        MemoryAllocation allocation = harness.Memory.Find(harness.Reserve<int>(32))!;
        allocation.TrackRaces(1);
        LaunchContext launch = Context(harness);
        Access(launch, block: 1, warp: 3, new WarpClocks(32, true), allocation, 128);
        RaceRecord* line = allocation.Races!.Line(0);
        RaceRecord before = *line;
        // What it has acquired lacks the clock that it is asked for.
        WarpClocks clocks = new(32, true);
        clocks.Reset(2);
        clocks.Acquire(0, new SyncPoint(new SyncWrite(1, 0, 1, 0), new SyncContent(new uint[1], null), null));
        Assert.That(() => Access(launch, block: 2, warp: 0, clocks, allocation, bytes), Throws.InstanceOf<IndexOutOfRangeException>());
        Assert.That(new ReadOnlySpan<byte>(line, sizeof(RaceRecord)).SequenceEqual(new ReadOnlySpan<byte>(&before, sizeof(RaceRecord))));
        Assert.That(Access(launch, block: 1, warp: 3, new WarpClocks(32, true), allocation, bytes));
    }

    private static bool Access(LaunchContext launch, long block, int warp, WarpClocks clocks, MemoryAllocation allocation, int bytes)
    {
        GlobalRaceDetector detector = new(launch, clocks);
        detector.Begin(block);
        detector.Set(warp, AccessKind.Store, 0);
        return detector.TryAccess(allocation, 0, bytes);
    }

    private static LaunchContext Context(EmulatorHarness harness) => new()
    {
        Program = harness.Module.GetKernel("store").Program,
        Memory = harness.Memory,
        Options = harness.Options,
        Grid = new(4),
        BlockSize = new(128),
        DynamicSharedBytes = 0,
        SharedBytes = 0,
        Shared = new SharedMap([]),
        Parameters = null,
        LocalBytes = 0,
        ReadOnlyGeneration = 0,
        RaceNumber = 1,
        Sync = new SyncGraph(),
    };
}
