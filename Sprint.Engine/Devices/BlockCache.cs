using System.Numerics;

namespace Sprint.Engine;

/// <summary>
/// Memory that tensors gave back, by size, to be given out again: a warm step asks the system for nothing. Sizes are rounded up to
/// one of eight for each power of two, so that slightly different shapes share blocks.
/// </summary>
/// <param name="allocate">Asks the system for a block of that many bytes.</param>
/// <param name="free">Gives a block back to the system.</param>
/// <param name="granularity">Sizes are multiples of this power of two; 1 for sizes as they are asked for, where every byte behind a block is watched.</param>
internal sealed class BlockCache(Func<long, nint> allocate, Action<nint> free, int granularity)
{
    private const long Smallest = 512;

    private readonly Dictionary<long, Stack<nint>> blocks = [];

    /// <summary>The bytes of a block that is given out for that many.</summary>
    /// <param name="bytes">At least 0.</param>
    public long SizeOf(long bytes)
    {
        if (granularity == 1)
        {
            return Math.Max(1, bytes);
        }

        if (bytes <= Smallest)
        {
            return Smallest;
        }

        long step = Math.Max(granularity, 1L << (60 - BitOperations.LeadingZeroCount((ulong)(bytes - 1))));
        return (bytes + step - 1) / step * step;
    }

    /// <summary>A block of at least that many bytes.</summary>
    /// <param name="bytes">At least 0.</param>
    public nint Acquire(long bytes)
    {
        long size = SizeOf(bytes);
        if (!blocks.TryGetValue(size, out Stack<nint>? spare))
        {
            blocks.Add(size, spare = new Stack<nint>());
        }

        return spare.TryPop(out nint block) ? block : allocate(size);
    }

    /// <summary>Takes a block back.</summary>
    /// <param name="block">What <see cref="Acquire"/> returned.</param>
    /// <param name="bytes">The same number as then.</param>
    public void Release(nint block, long bytes) => blocks[SizeOf(bytes)].Push(block);

    /// <summary>Gives every spare block back to the system.</summary>
    public void Trim()
    {
        foreach (Stack<nint> spare in blocks.Values)
        {
            while (spare.TryPop(out nint block))
            {
                free(block);
            }
        }
    }
}
