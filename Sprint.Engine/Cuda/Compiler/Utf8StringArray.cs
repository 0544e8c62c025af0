using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>Strings in unmanaged memory as C wants them: a table of pointers to zero-ended UTF-8.</summary>
internal sealed unsafe class Utf8StringArray : IDisposable
{
    private readonly byte** table;
    private readonly int count;

    /// <summary>Copies the strings.</summary>
    public Utf8StringArray(IReadOnlyList<string> strings)
    {
        count = strings.Count;
        table = (byte**)NativeMemory.AllocZeroed((nuint)Math.Max(1, count), (nuint)sizeof(byte*));
        for (int i = 0; i < count; i++)
        {
            table[i] = (byte*)Marshal.StringToCoTaskMemUTF8(strings[i]);
        }
    }

    /// <summary>The table.</summary>
    public byte** Pointer => table;

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = 0; i < count; i++)
        {
            Marshal.FreeCoTaskMem((nint)table[i]);
        }

        NativeMemory.Free(table);
    }
}
