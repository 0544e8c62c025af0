using System.Numerics;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>What a barrier computes from its threads' predicates.</summary>
internal enum BarrierReduction
{
    None,
    PopulationCount,
    And,
    Or,
}

/// <summary>The sixteen barriers of a block.</summary>
internal sealed unsafe partial class BlockExecutor
{
    public const int BarrierCount = 16;

    private readonly Barrier[] barriers = [.. Enumerable.Range(0, BarrierCount).Select(_ => new Barrier())];

    private sealed class Barrier
    {
        /// <summary>Threads that must come, 0 for all that have not ended.</summary>
        public long Expected;
        public long Arrived;
        public long ArrivedWithPredicate;
        public long PredicateCount;

        /// <summary>For the race detectors: what joined the barrier.</summary>
        public readonly BarrierClock Clock = new();

        public void Reset()
        {
            Expected = Arrived = ArrivedWithPredicate = PredicateCount = 0;
            Clock.Reset();
        }
    }

    /// <summary>Lanes arrive at a barrier; those that wait were set aside before. Opens the barrier when it is complete.</summary>
    public void Arrive(Warp warp, Instruction* instruction, uint lanes, int barrier, long expected, uint predicate, bool aligned)
    {
        Barrier state = barriers[barrier];
        if (state.Arrived > 0 && state.Expected != expected)
        {
            throw warp.Fault(instruction, Warp.LowestLane(lanes), EmulationFault.BarrierDivergence,
                $"Barrier {barrier} is used with {Describe(expected)} here and with {Describe(state.Expected)} by threads that already wait at it");
        }
        state.Expected = expected;
        // A counted barrier counts whole warps, as the hardware does.
        state.Arrived += aligned && expected > 0 ? 32 : BitOperations.PopCount(lanes);
        state.PredicateCount += BitOperations.PopCount(lanes);
        state.ArrivedWithPredicate += BitOperations.PopCount(lanes & predicate);
        Clocks?.Arrive(warp.Index, state.Clock);
        OpenIfComplete(barrier);
    }

    private static string Describe(long expected) => expected > 0 ? $"{expected} threads" : "all threads";

    private void RecheckBarriers()
    {
        for (int barrier = 0; barrier < BarrierCount; barrier++)
        {
            if (barriers[barrier].Arrived > 0)
                OpenIfComplete(barrier);
        }
    }

    private void OpenIfComplete(int barrier)
    {
        Barrier state = barriers[barrier];
        long live = 0;
        foreach (Warp warp in warps)
            live += BitOperations.PopCount(warp.Live);
        long expected = state.Expected > 0 ? state.Expected : live;
        if (state.Arrived < expected)
            return;
        if (state.Expected == 0)
        {
            CheckSamePlace(barrier);
            // Threads that have ended are behind every barrier too.
            for (int k = 0; k < warps.Length; k++)
            {
                if (warps[k].Live == 0)
                    Clocks?.Arrive(k, state.Clock);
            }
        }
        foreach (Warp warp in warps)
        {
            if (WriteReduction(warp, barrier, state))
                Clocks?.Pass(warp.Index, state.Clock);
            warp.Release((uint)barrier);
        }
        state.Reset();
    }

    /// <summary>Gives the result of a barrier to the threads of a warp that wait at it; false if none do.</summary>
    private static bool WriteReduction(Warp warp, int barrier, Barrier state)
    {
        bool waits = false;
        foreach (ref readonly LaneGroup group in warp.Pending)
        {
            if (group.Wait != WaitKind.Barrier || group.Required != barrier)
                continue;
            waits = true;
            switch ((BarrierReduction)group.Pc->E)
            {
                case BarrierReduction.PopulationCount:
                    uint* lanes = (uint*)(group.Frame.Registers + group.Pc->D);
                    for (int lane = 0; lane < 32; lane++)
                        lanes[lane] = (group.Mask >> lane & 1) != 0 ? (uint)state.ArrivedWithPredicate : lanes[lane];
                    break;
                case BarrierReduction.And or BarrierReduction.Or:
                    bool value = (BarrierReduction)group.Pc->E == BarrierReduction.And
                        ? state.ArrivedWithPredicate == state.PredicateCount
                        : state.ArrivedWithPredicate > 0;
                    uint* mask = (uint*)(group.Frame.Registers + group.Pc->D);
                    *mask = value ? *mask | group.Mask : *mask & ~group.Mask;
                    break;
            }
        }
        return waits;
    }

    private void CheckSamePlace(int barrier)
    {
        if (!Launch.CheckBarriers)
            return;
        Instruction* first = null;
        Warp? firstWarp = null;
        foreach (Warp warp in warps)
        {
            foreach (ref readonly LaneGroup group in warp.Pending)
            {
                if (group.Wait != WaitKind.Barrier || group.Required != barrier)
                    continue;
                if (first == null)
                {
                    first = group.Pc;
                    firstWarp = warp;
                }
                else if (first != group.Pc && !ReferenceEquals(firstWarp, warp))
                {
                    throw warp.Fault(group.Pc, Warp.LowestLane(group.Mask), EmulationFault.BarrierDivergence,
                        $"A barrier under divergence: warp {warp.Index} waits at {warp.Place(group.Pc)} while warp {firstWarp!.Index} waits at {warp.Place(first)}");
                }
            }
        }
    }

    private void ResetBarriers()
    {
        foreach (Barrier barrier in barriers)
            barrier.Reset();
    }

    private EmulationException DescribeDeadlock()
    {
        List<string> waits = [];
        Warp? stuck = null;
        foreach (Warp warp in warps)
        {
            foreach (ref readonly LaneGroup group in warp.Pending)
            {
                stuck ??= warp;
                string what = group.Wait == WaitKind.Barrier ? $"barrier {group.Required}" : Lanes.Describe(group.Required & warp.Live & ~group.Mask);
                if (waits.Count < 8)
                    waits.Add($"warp {warp.Index} {Lanes.Describe(group.Mask)} at {warp.Place(group.Pc)} for {what}");
            }
        }
        Instruction* place = stuck!.Pending[0].Pc;
        return stuck.Fault(place, Warp.LowestLane(stuck.Pending[0].Mask), EmulationFault.Deadlock,
            $"A deadlock: no thread of the block can go on; {string.Join("; ", waits)}");
    }
}
