using System.Numerics;
using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>One activation of a function by some lanes of a warp: their registers.</summary>
internal sealed unsafe partial class Frame : IDisposable
{
    public Frame(DecodedFunction function)
    {
        Function = function;
        Registers = (byte*)NativeMemory.AlignedAlloc((nuint)function.FrameBytes, 64);
        NativeMemory.Clear(Registers, (nuint)function.FrameBytes);
        foreach (FrameConstant constant in function.Constants)
            FillConstant(constant);
    }

    public DecodedFunction Function { get; }

    public byte* Registers { get; private set; }

    public Frame? Parent { get; set; }

    /// <summary>Where the lanes go on when they return.</summary>
    public Instruction* Return { get; set; }

    /// <summary>The call that made this frame.</summary>
    public Instruction* Call { get; set; }

    public int LocalBase { get; set; }

    public int Depth { get; set; }

    /// <summary>Lanes that have not returned.</summary>
    public uint Live { get; set; }

    /// <summary>Gives every special register its value for the warp and forgets which registers were written and which values are undefined.</summary>
    public void Prepare(Warp warp)
    {
        foreach (FrameSpecial special in Function.Specials)
            warp.FillSpecial(special.Register, (uint*)(Registers + special.Offset));
        if (Function.Tracking.Bytes > 0)
            new Span<byte>(Registers + Function.Tracking.Offset, Function.Tracking.Bytes).Clear();
        ForgetOrigins();
    }

    /// <summary>Takes over lanes of another activation of the same function, from the same call.</summary>
    public void Absorb(Frame other, uint lanes)
    {
        foreach ((int offset, int size) in Function.Slots)
        {
            byte* to = Registers + offset;
            byte* from = other.Registers + offset;
            if (size == 0)
            {
                *(uint*)to = *(uint*)to & ~lanes | *(uint*)from & lanes;
                continue;
            }
            for (uint rest = lanes; rest != 0; rest &= rest - 1)
            {
                long place = (long)BitOperations.TrailingZeroCount(rest) * size;
                Buffer.MemoryCopy(from + place, to + place, size, size);
            }
        }
        AbsorbOrigins(other, lanes);
        Live |= lanes;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Registers);
        Registers = null;
        FreeOrigins();
        GC.SuppressFinalize(this);
    }

    ~Frame()
    {
        NativeMemory.AlignedFree(Registers);
        FreeOrigins();
    }

    private void FillConstant(FrameConstant constant)
    {
        byte* slot = Registers + constant.Offset;
        switch (constant.Size)
        {
            case 0:
                *(uint*)slot = (uint)constant.Bits;
                break;
            case 2:
                new Span<ushort>(slot, 32).Fill((ushort)constant.Bits);
                break;
            case 4:
                new Span<uint>(slot, 32).Fill((uint)constant.Bits);
                break;
            default:
                new Span<ulong>(slot, 32).Fill(constant.Bits);
                break;
        }
    }
}
