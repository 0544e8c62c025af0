using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using Sprint.Model.Data;

namespace Sprint.Tests.Model.Data;

[TestFixture]
public sealed class EpochShufflerTests
{
    [FsCheck.NUnit.Property]
    public Property Every_epoch_visits_every_sample_once(ulong seed, PositiveInt count, NonNegativeInt epoch)
    {
        int[] samples = new int[count.Get];
        EpochShuffler shuffler = new(seed, count.Get);
        DataPosition end = shuffler.Take(new DataPosition(epoch.Get, 0), samples);
        return (samples.Order().SequenceEqual(Enumerable.Range(0, count.Get)) && end == new DataPosition(epoch.Get + 1L, 0)).ToProperty();
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(17)]
    [TestCase(99)]
    [TestCase(100)]
    [TestCase(250)]
    public void A_run_resumed_anywhere_takes_the_same_samples(int taken)
    {
        int[] whole = new int[300];
        new EpochShuffler(5, 100).Take(default, whole);
        int[] before = new int[taken];
        int[] after = new int[300 - taken];
        DataPosition position = new EpochShuffler(5, 100).Take(default, before);
        new EpochShuffler(5, 100).Take(position, after);
        Assert.That(before.Concat(after), Is.EqualTo(whole));
        Assert.That(position, Is.EqualTo(new DataPosition(taken / 100, taken % 100)));
    }

    [Test]
    public void Epochs_and_seeds_differ()
    {
        int[] first = new int[200];
        int[] other = new int[100];
        new EpochShuffler(1, 100).Take(default, first);
        new EpochShuffler(2, 100).Take(default, other);
        int[] second = first[100..];
        Assert.That(first[..100], Is.Not.EqualTo(second));
        Assert.That(first[..100], Is.Not.EqualTo(other));
    }

    [Test]
    public void The_order_is_the_same_on_every_machine_and_version()
    {
        int[] samples = new int[8];
        new EpochShuffler(42, 8).Take(default, samples);
        Assert.That(samples, Is.EqualTo(new[] { 1, 6, 2, 5, 3, 4, 0, 7 }));
    }

    [Test]
    public void Every_sample_is_equally_likely_at_every_place()
    {
        const int count = 6;
        const int epochs = 60_000;
        int[,] seen = new int[count, count];
        EpochShuffler shuffler = new(3, count);
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            for (int place = 0; place < count; place++)
                seen[place, shuffler.SampleAt(new DataPosition(epoch, place))]++;
        }

        // Each of the 36 counts has mean 10,000 and standard deviation 91; five of them is one in two million.
        foreach (int number in seen)
            Assert.That(number, Is.EqualTo(epochs / count).Within(5 * 91));
    }
}
