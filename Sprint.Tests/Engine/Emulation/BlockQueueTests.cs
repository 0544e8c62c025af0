using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Which of several faulty blocks a launch reports.</summary>
public sealed class BlockQueueTests
{
    private static readonly EmulationException Endless = new(EmulationFault.InstructionBudget, "endless");
    private static readonly EmulationException Trap = new(EmulationFault.Trap, "trap");
    private static readonly EmulationException Race = new(EmulationFault.GlobalMemoryRace, "race");

    [Test]
    public void The_first_of_faulty_blocks_is_reported_and_only_blocks_before_it_still_run([Values] bool reversed)
    {
        BlockQueue queue = new(8);
        Assert.That(queue.TryTake(out long first) && first == 0);
        queue.Report(reversed ? 5 : 2, reversed ? Race : Trap);
        queue.Report(reversed ? 2 : 5, reversed ? Trap : Race);
        Assert.That(queue.FirstFault, Is.SameAs(Trap));
        Assert.That(queue.TryTake(out long second) && second == 1);
        Assert.That(queue.TryTake(out _), Is.False);
    }

    [Test]
    public void A_block_that_waited_for_a_faulty_one_until_its_budget_was_gone_does_not_hide_that_fault([Values] bool endlessFirst)
    {
        BlockQueue queue = new(8);
        queue.Report(endlessFirst ? 0 : 3, endlessFirst ? Endless : Race);
        queue.Report(endlessFirst ? 3 : 0, endlessFirst ? Race : Endless);
        queue.Report(1, Endless);
        Assert.That(queue.FirstFault, Is.SameAs(Race));
    }

    [Test]
    public void A_seed_draws_an_order_of_all_blocks_in_which_none_is_far_from_its_place([Values(1ul, 2ul, 77ul)] ulong seed)
    {
        const int Window = 8;
        long[] order = [.. Drain(new BlockQueue(30, first: 3, Window, seed))];
        Assert.That(order, Is.EquivalentTo(Enumerable.Range(3, 27)).And.Not.Ordered);
        for (int k = 0; k < order.Length; k++)
            Assert.That((order[k] - 3) / Window, Is.EqualTo(k / Window), $"block {order[k]} is number {k} of the order");
        Assert.That(Drain(new BlockQueue(30, first: 3, Window, seed)), Is.EqualTo(order), "the same seed draws the same order");
        Assert.That(Drain(new BlockQueue(30, first: 3, Window)), Is.EqualTo(Enumerable.Range(3, 27)), "seed 0 is the order of the grid");
    }

    [Test]
    public void After_a_fault_in_a_drawn_order_all_blocks_before_it_in_the_grid_and_no_others_still_run([Values(1ul, 2ul, 77ul)] ulong seed)
    {
        BlockQueue queue = new(1L << 40, first: 0, window: 1000, seed);
        Assert.That(queue.TryTake(out long faulty));
        queue.Report(faulty, Trap);
        Assert.That(Drain(queue), Is.EquivalentTo(Enumerable.Range(0, (int)faulty)));
    }

    private static IEnumerable<long> Drain(BlockQueue queue)
    {
        while (queue.TryTake(out long rank))
            yield return rank;
    }
}
