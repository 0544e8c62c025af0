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
}
