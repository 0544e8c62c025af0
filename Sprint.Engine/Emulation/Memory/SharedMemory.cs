using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>The shared memory of the block that a worker executes, with its shadow of written bytes and its race detector.</summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private const int Padding = 64;

    private readonly int size;

    public SharedMemory(SharedMap map, int granule, WarpClocks? order)
    {
        Map = map;
        size = map.Size;
        Bytes = Allocate(size);
        Initialised = Allocate(size);
        Races = order is not null && size > 0 ? new RaceDetector(size, granule, order) : null;
    }

    ~SharedMemory() => Free();

    /// <summary>Which variable lies where.</summary>
    public SharedMap Map { get; }

    public byte* Bytes { get; private set; }

    public byte* Initialised { get; private set; }

    public RaceDetector? Races { get; }

    /// <summary>Forgets the previous block.</summary>
    public void Reset()
    {
        NativeMemory.Fill(Bytes, (nuint)size, 0xFF);
        NativeMemory.Clear(Initialised, (nuint)size);
        Races?.Clear();
    }

    /// <summary>Whether all bytes of a range were written.</summary>
    public static bool AllSet(byte* shadow, long bytes)
    {
        long k = 0;
        for (; k + 64 <= bytes; k += 64)
        {
            if (!Vector512.EqualsAll(Vector512.Load(shadow + k), Vector512<byte>.One))
                return false;
        }
        for (; k + 4 <= bytes; k += 4)
        {
            if (*(uint*)(shadow + k) != 0x01010101)
                return false;
        }
        for (; k < bytes; k++)
        {
            if (shadow[k] == 0)
                return false;
        }
        return true;
    }

    public void Dispose()
    {
        Free();
        Races?.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(Bytes);
        NativeMemory.AlignedFree(Initialised);
        Bytes = Initialised = null;
    }

    private static byte* Allocate(int size)
    {
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(size + Padding), 64);
        NativeMemory.Clear(memory, (nuint)(size + Padding));
        return memory;
    }
}
