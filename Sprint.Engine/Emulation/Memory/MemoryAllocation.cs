using System.Runtime.InteropServices;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// One allocation of device memory: its bytes on the host and, one byte each, whether a byte was ever written. The shadows
/// are only ever set, never cleared bit by bit, so that blocks on several workers may set them at once.
/// </summary>
internal sealed unsafe class MemoryAllocation
{
    /// <summary>From this size on fresh memory holds zeros: what nobody touches takes no memory of the host.</summary>
    public const long SparseBytes = 256L << 20;

    private const int Padding = 64;

    private readonly Lock gate = new();
    private ZeroedMemory bytes;
    private ZeroedMemory initialised;
    private ZeroedMemory lastReadOnlyRead;
    private ZeroedMemory lastWrite;
    private volatile uint raceNumber;

    public MemoryAllocation(ulong start, long size, string? name)
    {
        Start = start;
        Size = size;
        Name = name;
        Reserve();
    }

    public ulong Start { get; }

    public long Size { get; }

    /// <summary>The module variable this is, if any.</summary>
    public string? Name { get; }

    public byte* Host => bytes.Start;

    /// <summary>1 for each byte that was written.</summary>
    public byte* Initialised => initialised.Start;

    /// <summary>True once the whole was written from the host: its reads need no check.</summary>
    public volatile bool IsFullyInitialised;

    public bool IsReadOnly { get; init; }

    public bool IsFreed => Host is null;

    /// <summary>Generation of the launch that last read each byte through the read-only path.</summary>
    public byte* LastReadOnlyRead => lastReadOnlyRead.Start;

    /// <summary>Generation of the launch that last wrote each byte, kept only for kernels that use the read-only path.</summary>
    public byte* LastWrite => lastWrite.Start;

    /// <summary>Who accessed what in the launch <see cref="RaceNumber"/>; null if races were never watched here.</summary>
    public RaceShadow? Races { get; private set; }

    /// <summary>The last launch that watches for races in this allocation, as it may write to it.</summary>
    public uint RaceNumber => raceNumber;

    /// <summary>Watches for races in a launch from now on.</summary>
    public void TrackRaces(uint launch)
    {
        lock (gate)
        {
            Races ??= new RaceShadow(Size);
            raceNumber = launch;
        }
    }

    public void Release()
    {
        Races?.Dispose();
        Races = null;
        bytes.Free();
        initialised.Free();
        lastReadOnlyRead.Free();
        lastWrite.Free();
    }

    /// <summary>Declares a range as never written; the whole of a sparse allocation gives its pages back to the host.</summary>
    public void Poison(long offset, long count)
    {
        if (count == 0)
            return;
        IsFullyInitialised = false;
        if (count == Size && Size >= SparseBytes)
        {
            bytes.Free();
            initialised.Free();
            Reserve();
            return;
        }
        NativeMemory.Fill(Host + offset, (nuint)count, 0xFF);
        NativeMemory.Clear(Initialised + offset, (nuint)count);
    }

    /// <summary>Creates the shadows of the read-only path; called before a launch that needs them.</summary>
    public void TrackReadOnlyReads()
    {
        if (LastWrite is not null || IsFreed)
            return;
        lastWrite = new ZeroedMemory(Size + Padding);
        lastReadOnlyRead = new ZeroedMemory(Size + Padding);
    }

    public void ClearReadOnlyTracking()
    {
        if (LastWrite is null)
            return;
        NativeMemory.Clear(LastReadOnlyRead, (nuint)(Size + Padding));
        NativeMemory.Clear(LastWrite, (nuint)(Size + Padding));
    }

    public string Describe()
        => Name is null ? $"the allocation of {Size} bytes at 0x{Start:X}" : $"the variable {Name} of {Size} bytes";

    private void Reserve()
    {
        bytes = new ZeroedMemory(Size + Padding);
        initialised = new ZeroedMemory(Size + Padding);
        // All ones is NaN in every floating-point type, so that what slips through is seen.
        if (Size < SparseBytes)
            NativeMemory.Fill(Host, (nuint)(Size + Padding), 0xFF);
    }

    /// <summary>Zeros on a boundary of 64 bytes; of many, the pages that nobody touches are not there.</summary>
    private struct ZeroedMemory(long bytes)
    {
        private const int Alignment = 64;

        private void* memory = NativeMemory.AllocZeroed((nuint)(bytes + Alignment));

        public readonly byte* Start => (byte*)(((nuint)memory + Alignment - 1) / Alignment * Alignment);

        public void Free()
        {
            NativeMemory.Free(memory);
            memory = null;
        }
    }
}
