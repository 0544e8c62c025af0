using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Where the undefined values of an activation come from, kept once a warp has met some.</summary>
internal sealed unsafe partial class Frame
{
    private ushort* origins;
    private UndefinedBytes? argumentOrigins;

    private int OriginCount => (Function.Syntax.Registers.Count + 1) * Lanes.Count;

    /// <summary>For each register its 32 lanes' origins, at 32 times the number that <see cref="Decoding.UndefinedFlow"/> gives it; 0 is a defined value.</summary>
    public ushort* Origins
    {
        get
        {
            if (origins == null)
            {
                origins = (ushort*)NativeMemory.AlignedAlloc((nuint)OriginCount * sizeof(ushort), 64);
                new Span<ushort>(origins, OriginCount).Clear();
            }
            return origins;
        }
    }

    /// <summary>The same of the bytes of the activation's own parameters and results and of those of its calls.</summary>
    public UndefinedBytes ArgumentOrigins => argumentOrigins ??= new UndefinedBytes();

    private void ForgetOrigins()
    {
        if (origins != null)
            new Span<ushort>(origins, OriginCount).Clear();
        argumentOrigins?.Clear();
    }

    private void AbsorbOrigins(Frame other, uint lanes)
    {
        if (other.argumentOrigins is { } bytes)
            ArgumentOrigins.Absorb(bytes, lanes);
        if (origins == null && other.origins == null)
            return;
        ushort* to = Origins, from = other.Origins;
        for (int k = 0; k < OriginCount; k += Lanes.Count)
            Lanes.Store(lanes, to, k, Vector512.LoadAligned(from + k));
    }

    private void FreeOrigins()
    {
        NativeMemory.AlignedFree(origins);
        origins = null;
    }
}
