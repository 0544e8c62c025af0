using NUnit.Framework;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>What blocks publish to each other, as workers see it that run beside each other.</summary>
public sealed class SyncGraphTests
{
    private const uint Publisher = 1;
    private const uint Known = 2;
    private const uint Nobody = 3;

    [Test]
    public void A_publication_that_is_withdrawn_leaves_what_was_published_before()
    {
        SyncPoint before = Point(Known, null, null), point = Point(Publisher, Point(Nobody, null, null), before);
        point.Withdraw();
        SyncKnowledge knowledge = new();
        Assert.That(knowledge.Contains(point, Known, 0, 1));
        Assert.That(knowledge.Contains(point, Publisher, 0, 1), Is.False);
        Assert.That(knowledge.Contains(point, Nobody, 0, 1), Is.False);
    }

    [Test]
    public void A_publication_that_is_withdrawn_while_another_worker_reads_it_is_seen_whole_or_not_at_all()
    {
        // One thread keeps close behind the other, by another little while each time, so that it often comes between two of its reads.
        const int Rounds = 300_000;
        SyncPoint known = Point(Known, null, null);
        SyncPoint?[] points = new SyncPoint?[Rounds];
        for (int k = 0; k < Rounds; k++)
            points[k] = Point(Publisher, known, null);
        int reached = -1;
        Task withdrawal = Task.Run(() =>
        {
            for (int k = 0; k < Rounds; k++)
            {
                for (int spins = 0; Volatile.Read(ref reached) < k; spins++)
                {
                    if (spins > 1000)
                        Thread.Yield();
                }
                for (int delay = k % 256; delay > 0; delay--)
                    Volatile.Read(ref reached);
                points[k]!.Withdraw();
            }
        });
        int torn = 0;
        try
        {
            for (int k = 0; k < Rounds; k++)
            {
                SyncKnowledge knowledge = new();
                Volatile.Write(ref reached, k);
                bool ofPublisher = knowledge.Contains(points[k]!, Publisher, 0, 1);
                torn += ofPublisher == knowledge.Contains(points[k]!, Known, 0, 1) ? 0 : 1;
            }
        }
        finally
        {
            Volatile.Write(ref reached, Rounds);
            withdrawal.GetAwaiter().GetResult();
        }
        Assert.That(torn, Is.Zero);
    }

    private static SyncPoint Point(uint block, SyncPoint? acquired, SyncPoint? previous)
        => new(new SyncWrite(block, 0, 1, 0), new SyncContent([1], acquired), previous);
}
