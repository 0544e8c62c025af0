namespace Sprint.Model.Data;

/// <summary>Where in the endless sequence of shuffled epochs the next sample is taken; all that a resumed run needs to know.</summary>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Index">The position within the epoch, from 0 to the number of samples less 1.</param>
public readonly record struct DataPosition(long Epoch, int Index);

/// <summary>
/// The order in which samples are visited: every epoch is a permutation of its own, a pure function of (seed, epoch, count),
/// so that a resumed run goes on with the very next sample. Fisher-Yates with a counter-based generator (SplitMix64's finaliser).
/// Not thread safe: it keeps the permutation of the epoch last asked for.
/// </summary>
public sealed class EpochShuffler
{
    private const ulong GoldenRatio = 0x9E3779B97F4A7C15;
    private readonly ulong seed;
    private readonly int[] order;
    private long current = -1;

    /// <summary>Creates the order of visits.</summary>
    /// <param name="seed">Another seed gives other permutations.</param>
    /// <param name="count">How many samples an epoch has; at least 1.</param>
    public EpochShuffler(ulong seed, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        this.seed = seed;
        order = new int[count];
    }

    /// <summary>How many samples an epoch has.</summary>
    public int Count => order.Length;

    /// <summary>The sample at a position.</summary>
    /// <param name="position">Any position.</param>
    public int SampleAt(DataPosition position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position.Epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(position.Index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position.Index, Count);
        if (current != position.Epoch)
            Shuffle(position.Epoch);
        return order[position.Index];
    }

    /// <summary>Takes the next samples, running on into the next epoch where one ends.</summary>
    /// <param name="position">Where to begin.</param>
    /// <param name="samples">Receives the samples.</param>
    /// <returns>Where the next call is to begin.</returns>
    public DataPosition Take(DataPosition position, Span<int> samples)
    {
        foreach (ref int sample in samples)
        {
            sample = SampleAt(position);
            position = position.Index + 1 < Count ? position with { Index = position.Index + 1 } : new DataPosition(position.Epoch + 1, 0);
        }

        return position;
    }

    private void Shuffle(long epoch)
    {
        ulong key = Mix(Mix(seed) + (GoldenRatio * ((ulong)epoch + 1)));
        for (int index = 0; index < order.Length; index++)
            order[index] = index;
        for (int last = order.Length - 1; last > 0; last--)
        {
            ulong random = Mix(key + (GoldenRatio * (ulong)last));
            int other = (int)Math.BigMul(random, (ulong)last + 1, out _);
            (order[last], order[other]) = (order[other], order[last]);
        }

        current = epoch;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
