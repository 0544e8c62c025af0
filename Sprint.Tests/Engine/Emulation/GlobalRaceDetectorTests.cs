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

    /// <summary>Two blocks count at one time: both note it, and the one that noted it first comes last and sets the counter back.</summary>
    [Test]
    public void Who_comes_last_to_a_counter_may_set_it_back_although_another_was_noted_after_it([Values] bool cameLast)
    {
        using EmulatorHarness harness = new(Ptx);
        MemoryAllocation allocation = harness.Memory.Find(harness.Reserve<int>(32))!;
        allocation.TrackRaces(1);
        LaunchContext launch = Context(harness);
        GlobalRaceDetector[] blocks = [.. Enumerable.Range(1, 3).Select(block => Begin(launch, block))];
        foreach (GlobalRaceDetector block in blocks)
            Assert.That(Conflict(block, AccessKind.Atomic, allocation), Is.Zero);
        if (cameLast)
            blocks[0].Observe(0, allocation.Start, 4);
        Assert.That(Conflict(blocks[0], AccessKind.Store, allocation), cameLast ? Is.Zero : Is.Not.Zero);
        Assert.That(Conflict(blocks[1], AccessKind.Atomic, allocation), Is.Not.Zero, "one that counts again has seen no store");
        blocks[1].Observe(0, allocation.Start, 4);
        blocks[0].Begin(4);
        Assert.That(Conflict(blocks[0], AccessKind.Store, allocation), Is.Not.Zero, "the next block has seen nothing yet");
    }

    private static GlobalRaceDetector Begin(LaunchContext launch, long block)
    {
        WarpClocks clocks = new(1, true);
        clocks.Reset((uint)block);
        GlobalRaceDetector detector = new(launch, clocks);
        detector.Begin(block);
        return detector;
    }

    private static ulong Conflict(GlobalRaceDetector detector, AccessKind kind, MemoryAllocation allocation)
    {
        detector.Set(0, kind, 0);
        return detector.Conflict(allocation, 0, 4);
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
