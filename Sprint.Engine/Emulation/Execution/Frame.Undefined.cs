using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Where the undefined values of an activation come from, kept once a warp has met some.</summary>
internal sealed unsafe partial class Frame
{
    private ushort* origins;
    private UndefinedBytes? argumentOrigins;

    private int OriginCount => (Function.Syntax.Registers.Count + 1) * Lanes.Count;

    private int OriginBytes => OriginCount * sizeof(ushort) + 2 * (Function.Syntax.Registers.Count + 1) * sizeof(uint);

    /// <summary>For each register its 32 lanes' origins, at 32 times the number that <see cref="Decoding.UndefinedFlow"/> gives it; 0 is a defined value.</summary>
    public ushort* Origins
    {
        get
        {
            if (origins == null)
            {
                origins = (ushort*)NativeMemory.AlignedAlloc((nuint)OriginBytes, 64);
                new Span<byte>(origins, OriginBytes).Clear();
            }
            return origins;
        }
    }

    /// <summary>For each register, at twice its number, the lanes whose lower half is defined though the register is not, and those whose upper half is.</summary>
    public uint* DefinedHalves => (uint*)(Origins + OriginCount);

    /// <summary>The same as <see cref="Origins"/> of the bytes of the activation's own parameters and results and of those of its calls.</summary>
    public UndefinedBytes ArgumentOrigins => argumentOrigins ??= new UndefinedBytes();

    private void ForgetOrigins()
    {
        if (origins != null)
            new Span<byte>(origins, OriginBytes).Clear();
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
        uint* halves = DefinedHalves, others = other.DefinedHalves;
        for (int k = 0; k < 2 * OriginCount / Lanes.Count; k++)
            halves[k] = halves[k] & ~lanes | others[k] & lanes;
    }

    private void FreeOrigins()
    {
        NativeMemory.AlignedFree(origins);
        origins = null;
    }
}
