using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation;

/// <summary>
/// The address space of an emulated device. Allocations begin at multiples of 64 KiB with an unmapped gap behind each, and
/// addresses are never given out twice, nor by two memories, so that every stray access is seen and a freed range is known as freed. Fresh
/// memory counts as never written and holds all-ones bytes (NaN in every floating-point type), from 256 MiB on zeros, which take no memory of the host.
/// Methods may be called from several threads; what runs while a kernel uses the same memory is the caller's to order.
/// </summary>
public sealed unsafe class EmulatedMemory : IDisposable
{
    private const int PageShift = 16;

    private static int instances;

    private readonly Lock gate = new();
    private readonly List<MemoryAllocation> live = [];
    private volatile MemoryAllocation?[] pages = new MemoryAllocation?[256];
    private ulong nextPage = 1;
    private readonly ulong firstAddress = MemoryWindows.Global + ((ulong)(byte)Interlocked.Increment(ref instances) << MemoryWindows.WindowShift);
    private int readOnlyGeneration;
    private uint raceNumber;

    /// <summary>Creates an empty address space.</summary>
    /// <param name="capacity">Most bytes that may be allocated at once.</param>
    public EmulatedMemory(long capacity = 64L << 30)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Capacity = capacity;
    }

    /// <summary>Most bytes that may be allocated at once.</summary>
    public long Capacity { get; }

    /// <summary>Bytes allocated now.</summary>
    public long AllocatedBytes { get; private set; }

    internal Lock LaunchLock { get; } = new();

    /// <summary>Allocates memory that counts as never written.</summary>
    /// <param name="bytes">How many bytes, at least 1.</param>
    /// <returns>The device address, a multiple of 64 KiB.</returns>
    /// <exception cref="SprintException">The capacity is exhausted.</exception>
    public ulong Allocate(long bytes) => Allocate(bytes, null, false).Start;

    /// <summary>Frees an allocation; later accesses to it are errors.</summary>
    /// <param name="address">What <see cref="Allocate(long)"/> returned.</param>
    /// <exception cref="SprintException">The address is no live allocation's beginning.</exception>
    public void Free(ulong address)
    {
        lock (gate)
        {
            MemoryAllocation? allocation = Find(address);
            if (allocation is null || allocation.Start != address || allocation.IsFreed)
                throw new SprintException($"The address 0x{address:X} is freed but {(allocation is { IsFreed: true } ? "was freed before" : "was never allocated")}.");
            live.Remove(allocation);
            AllocatedBytes -= allocation.Size;
            allocation.Release();
        }
    }

    /// <summary>Copies host bytes to the device.</summary>
    /// <exception cref="SprintException">The range is not inside one live allocation.</exception>
    public void Write(ulong address, ReadOnlySpan<byte> source)
    {
        MemoryAllocation allocation = Require(address, source.Length, "written");
        long offset = (long)(address - allocation.Start);
        source.CopyTo(new Span<byte>(allocation.Host + offset, source.Length));
        MarkInitialised(allocation, offset, source.Length);
    }

    /// <summary>Copies device bytes to the host; bytes never written read as 0xFF.</summary>
    /// <exception cref="SprintException">The range is not inside one live allocation.</exception>
    public void Read(ulong address, Span<byte> destination)
    {
        MemoryAllocation allocation = Require(address, destination.Length, "read");
        new ReadOnlySpan<byte>(allocation.Host + (long)(address - allocation.Start), destination.Length).CopyTo(destination);
    }

    /// <summary>Copies between device ranges, which may overlap; whether bytes count as written travels with them.</summary>
    /// <exception cref="SprintException">A range is not inside one live allocation.</exception>
    public void Copy(ulong destination, ulong source, long bytes)
    {
        MemoryAllocation from = Require(source, bytes, "read");
        MemoryAllocation to = Require(destination, bytes, "written");
        long fromOffset = (long)(source - from.Start);
        long toOffset = (long)(destination - to.Start);
        Buffer.MemoryCopy(from.Host + fromOffset, to.Host + toOffset, bytes, bytes);
        if (from.IsFullyInitialised)
            MarkInitialised(to, toOffset, bytes);
        else
            Buffer.MemoryCopy(from.Initialised + fromOffset, to.Initialised + toOffset, bytes, bytes);
        if (!from.IsFullyInitialised && to.IsFullyInitialised)
            to.IsFullyInitialised = IsSet(to.Initialised + toOffset, bytes);
    }

    /// <summary>Fills a device range with one byte value.</summary>
    /// <exception cref="SprintException">The range is not inside one live allocation.</exception>
    public void Fill(ulong address, byte value, long bytes)
    {
        MemoryAllocation allocation = Require(address, bytes, "filled");
        long offset = (long)(address - allocation.Start);
        System.Runtime.InteropServices.NativeMemory.Fill(allocation.Host + offset, (nuint)bytes, value);
        MarkInitialised(allocation, offset, bytes);
    }

    /// <summary>Fills a device range with a repeated element of 1, 2 or 4 bytes, given in the low bytes of the value.</summary>
    /// <exception cref="SprintException">The range is not inside one live allocation.</exception>
    public void Fill(ulong address, uint value, int elementBytes, long count)
    {
        long bytes = checked(elementBytes * count);
        MemoryAllocation allocation = Require(address, bytes, "filled");
        long offset = (long)(address - allocation.Start);
        Span<byte> pattern = stackalloc byte[64];
        for (int k = 0; k < pattern.Length; k++)
            pattern[k] = (byte)(value >> k % elementBytes * 8);
        for (long k = 0; k < bytes; k += pattern.Length)
            pattern[..(int)Math.Min(pattern.Length, bytes - k)].CopyTo(new Span<byte>(allocation.Host + offset + k, pattern.Length));
        MarkInitialised(allocation, offset, bytes);
    }

    /// <summary>Declares a range as never written, as poisoned outputs are before a kernel runs.</summary>
    /// <exception cref="SprintException">The range is not inside one live allocation.</exception>
    public void Poison(ulong address, long bytes)
    {
        MemoryAllocation allocation = Require(address, bytes, "poisoned");
        long offset = (long)(address - allocation.Start);
        allocation.Poison(offset, bytes);
    }

    /// <summary>Whether every byte of a range was written.</summary>
    /// <exception cref="SprintException">The range is not inside one live allocation.</exception>
    public bool IsInitialised(ulong address, long bytes)
    {
        MemoryAllocation allocation = Require(address, bytes, "inspected");
        long offset = (long)(address - allocation.Start);
        return allocation.IsFullyInitialised || IsSet(allocation.Initialised + offset, bytes);
    }

    /// <summary>Tells of each byte of a range whether it was written.</summary>
    /// <exception cref="SprintException">The range is not inside one live allocation.</exception>
    public void ReadInitialised(ulong address, Span<bool> destination)
    {
        MemoryAllocation allocation = Require(address, destination.Length, "inspected");
        if (allocation.IsFullyInitialised)
        {
            destination.Fill(true);
            return;
        }

        byte* shadow = allocation.Initialised + (long)(address - allocation.Start);
        for (int k = 0; k < destination.Length; k++)
            destination[k] = shadow[k] != 0;
    }

    /// <summary>Releases the host memory of all allocations.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (MemoryAllocation allocation in live)
                allocation.Release();
            live.Clear();
            AllocatedBytes = 0;
        }
    }

    internal MemoryAllocation Allocate(long bytes, string? name, bool readOnly)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        lock (gate)
        {
            if (bytes > Capacity - AllocatedBytes)
                throw new SprintException($"The emulated device is out of memory: {bytes} bytes asked, {Capacity - AllocatedBytes} of {Capacity} free.");
            ulong pages = ((ulong)bytes + (1UL << PageShift) - 1) >> PageShift;
            MemoryAllocation allocation;
            try
            {
                allocation = new MemoryAllocation(firstAddress + (nextPage << PageShift), bytes, name) { IsReadOnly = readOnly };
            }
            catch (OutOfMemoryException error)
            {
                throw new SprintException($"The host has no {bytes} bytes left for the emulated device.", error);
            }
            Map(allocation, pages);
            live.Add(allocation);
            AllocatedBytes += bytes;
            return allocation;
        }
    }

    /// <summary>The allocation, live or freed, whose pages hold an address, or null.</summary>
    internal MemoryAllocation? Find(ulong address)
    {
        ulong page = (address - firstAddress) >> PageShift;
        MemoryAllocation?[] pages = this.pages;
        return page < (ulong)pages.Length ? pages[page] : null;
    }

    /// <summary>Begins a launch that tracks the read-only path where it may write; returns the launch's generation, from 1 to 255.</summary>
    internal byte BeginReadOnlyTracking(IReadOnlyCollection<MemoryAllocation> written)
    {
        lock (gate)
        {
            readOnlyGeneration = readOnlyGeneration % 255 + 1;
            foreach (MemoryAllocation allocation in readOnlyGeneration == 1 ? live : [])
                allocation.ClearReadOnlyTracking();
            foreach (MemoryAllocation allocation in written)
                allocation.TrackReadOnlyReads();
            return (byte)readOnlyGeneration;
        }
    }

    /// <summary>Begins a launch in which races are watched for where it may write; returns its number.</summary>
    /// <param name="written">The allocations that it may write to.</param>
    internal uint BeginRaceTracking(IReadOnlyCollection<MemoryAllocation> written)
    {
        lock (gate)
        {
            raceNumber++;
            foreach (MemoryAllocation allocation in written)
                allocation.TrackRaces(raceNumber);
            return raceNumber;
        }
    }

    /// <summary>The live allocations that hold the given addresses, all for null, but for constant data.</summary>
    internal MemoryAllocation[] Writable(IEnumerable<ulong>? addresses)
    {
        lock (gate)
            return [.. (addresses?.Select(Find).OfType<MemoryAllocation>().Distinct() ?? live).Where(allocation => !allocation.IsReadOnly && !allocation.IsFreed)];
    }

    private static bool IsSet(byte* shadow, long bytes)
    {
        const int Piece = 1 << 30;
        for (; bytes > Piece; bytes -= Piece, shadow += Piece)
        {
            if (new ReadOnlySpan<byte>(shadow, Piece).Contains((byte)0))
                return false;
        }
        return !new ReadOnlySpan<byte>(shadow, (int)bytes).Contains((byte)0);
    }

    private static void MarkInitialised(MemoryAllocation allocation, long offset, long bytes)
    {
        if (allocation.IsFullyInitialised)
            return;
        System.Runtime.InteropServices.NativeMemory.Fill(allocation.Initialised + offset, (nuint)bytes, 1);
        if (bytes == allocation.Size)
            allocation.IsFullyInitialised = true;
    }

    private void Map(MemoryAllocation allocation, ulong pages)
    {
        ulong last = nextPage + pages;
        if (last >= (ulong)this.pages.Length)
        {
            MemoryAllocation?[] larger = new MemoryAllocation?[Math.Max(last + 1, (ulong)this.pages.Length * 2)];
            this.pages.CopyTo(larger, 0);
            this.pages = larger;
        }
        for (ulong page = nextPage; page < last; page++)
            this.pages[page] = allocation;
        // One page stays unmapped behind each allocation.
        nextPage = last + 1;
    }

    /// <summary>The live allocation that holds a range.</summary>
    /// <exception cref="SprintException">The range is not inside one live allocation.</exception>
    internal MemoryAllocation Require(ulong address, long bytes, string action)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        MemoryAllocation? allocation = Find(address);
        if (allocation is null)
            throw new SprintException($"{bytes} bytes at 0x{address:X} are {action}, where nothing is allocated.");
        if (allocation.IsFreed)
            throw new SprintException($"{bytes} bytes at 0x{address:X} are {action} in {allocation.Describe()}, which was freed.");
        ulong offset = address - allocation.Start;
        if (offset > (ulong)allocation.Size || (ulong)bytes > (ulong)allocation.Size - offset)
            throw new SprintException($"{bytes} bytes at 0x{address:X} are {action}, beyond the end of {allocation.Describe()}.");
        return allocation;
    }
}
