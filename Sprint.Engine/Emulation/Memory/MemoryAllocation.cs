using System.Runtime.InteropServices;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// One allocation of device memory: its bytes on the host and, one byte each, whether a byte was ever written. The shadows
/// are only ever set, never cleared bit by bit, so that blocks on several workers may set them at once.
/// </summary>
internal sealed unsafe class MemoryAllocation
{
    public const int Padding = 64;

    private readonly Lock gate = new();
    private byte* lastReadOnlyRead;
    private byte* lastWrite;
    private volatile uint raceNumber;

    public MemoryAllocation(ulong start, long size, string? name)
    {
        Start = start;
        Size = size;
        Name = name;
        Host = (byte*)NativeMemory.AlignedAlloc((nuint)(size + Padding), 64);
        Initialised = (byte*)NativeMemory.AlignedAlloc((nuint)(size + Padding), 64);
        // All ones is NaN in every floating-point type, so that what slips through is seen.
        NativeMemory.Fill(Host, (nuint)(size + Padding), 0xFF);
        NativeMemory.Clear(Initialised, (nuint)(size + Padding));
    }

    public ulong Start { get; }

    public long Size { get; }

    /// <summary>The module variable this is, if any.</summary>
    public string? Name { get; }

    public byte* Host { get; private set; }

    /// <summary>1 for each byte that was written.</summary>
    public byte* Initialised { get; private set; }

    /// <summary>True once the whole was written from the host: its reads need no check.</summary>
    public volatile bool IsFullyInitialised;

    public bool IsReadOnly { get; init; }

    public bool IsFreed => Host is null;

    /// <summary>Generation of the launch that last read each byte through the read-only path.</summary>
    public byte* LastReadOnlyRead => lastReadOnlyRead;

    /// <summary>Generation of the launch that last wrote each byte, kept only for kernels that use the read-only path.</summary>
    public byte* LastWrite => lastWrite;

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
        NativeMemory.AlignedFree(Host);
        NativeMemory.AlignedFree(Initialised);
        NativeMemory.AlignedFree(lastReadOnlyRead);
        NativeMemory.AlignedFree(lastWrite);
        Host = Initialised = lastReadOnlyRead = lastWrite = null;
    }

    /// <summary>Creates the shadows of the read-only path; called before a launch that needs them.</summary>
    public void TrackReadOnlyReads()
    {
        if (lastWrite is not null || Host is null)
            return;
        lastWrite = (byte*)NativeMemory.AlignedAlloc((nuint)(Size + Padding), 64);
        lastReadOnlyRead = (byte*)NativeMemory.AlignedAlloc((nuint)(Size + Padding), 64);
        ClearReadOnlyTracking();
    }

    public void ClearReadOnlyTracking()
    {
        if (lastWrite is null)
            return;
        NativeMemory.Clear(lastReadOnlyRead, (nuint)(Size + Padding));
        NativeMemory.Clear(lastWrite, (nuint)(Size + Padding));
    }

    public string Describe()
        => Name is null ? $"the allocation of {Size} bytes at 0x{Start:X}" : $"the variable {Name} of {Size} bytes";
}
