namespace Sprint.Engine.Emulation.Memory;

/// <summary>Where the state spaces lie in the generic address space; each window has 4 GiB.</summary>
internal static class MemoryWindows
{
    public const ulong Shared = 0x0100_0000_0000;
    public const ulong Local = 0x0200_0000_0000;
    public const ulong Parameter = 0x0300_0000_0000;
    public const ulong Function = 0x0400_0000_0000;
    public const ulong Global = 0x7000_0000_0000;
    public const int WindowShift = 40;
    public const ulong Size = 1UL << 32;

    /// <summary>Bytes between the addresses of two functions.</summary>
    public const ulong FunctionStride = 16;
}
