using System.Runtime.InteropServices;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Native memory for tensors and workers. Large blocks ask the system for huge pages, where they are given only on request: a pass over
/// hundreds of MiB in pages of 4 KiB spends a good part of its time looking up addresses.
/// </summary>
internal static unsafe partial class NativeBlock
{
    /// <summary>The alignment of every block: a cache line, and the widest vector.</summary>
    internal const int Alignment = 64;

    private const int HugePage = 2 << 20;

    // MADV_HUGEPAGE of Linux.
    private const int AdviseHugePages = 14;

    /// <summary>Allocates a block with undefined content.</summary>
    /// <param name="bytes">Its size.</param>
    /// <returns>Its address, to be given to <see cref="Free"/>.</returns>
    /// <exception cref="OutOfMemoryException">The system has no such memory.</exception>
    internal static byte* Allocate(long bytes)
    {
        if (bytes < HugePage || !OperatingSystem.IsLinux())
            return (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);

        byte* block = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, HugePage);

        // Advice: a system that does not take it works as before.
        _ = Advise(block, (nuint)bytes / HugePage * HugePage, AdviseHugePages);
        return block;
    }

    /// <summary>Frees a block.</summary>
    /// <param name="block">What <see cref="Allocate"/> returned, or null.</param>
    internal static void Free(void* block) => NativeMemory.AlignedFree(block);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);
}
