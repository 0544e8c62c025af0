using Sprint.Engine.Cpu;
using Sprint.Tests.Engine.Cpu;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>Attention without norms on given contents, all heads of one sample.</summary>
internal sealed unsafe class RawAttention : IDisposable
{
    private readonly int tokens, heads, headSize;
    private readonly GuardedFloats qkv, cos, sin, weightGradient;

    internal RawAttention(int tokens, int heads, int headSize, GuardedFloats qkv, GuardedFloats cos, GuardedFloats sin)
    {
        (this.tokens, this.heads, this.headSize) = (tokens, heads, headSize);
        (this.qkv, this.cos, this.sin) = (qkv, cos, sin);
        Output = new GuardedFloats((long)tokens * heads * headSize);
        OutputGradient = new GuardedFloats((long)tokens * heads * headSize);
        LogSumExp = new GuardedFloats((long)heads * tokens);
        QkvGradient = new GuardedFloats((long)tokens * 3 * heads * headSize);
        weightGradient = new GuardedFloats(headSize);
    }

    internal GuardedFloats Output { get; }

    internal GuardedFloats OutputGradient { get; }

    internal GuardedFloats LogSumExp { get; }

    internal GuardedFloats QkvGradient { get; }

    private CpuAttentionProblem Problem =>
        new() { Tokens = tokens, Heads = heads, HeadSize = headSize, CosTable = cos.Pointer, SinTable = sin.Pointer };

    internal void Forward()
    {
        using GuardedFloats scratch = new(CpuAttentionForward.ScratchBytes(tokens, headSize) / sizeof(float));
        for (int head = 0; head < heads; head++)
            CpuAttentionForward.Run(Problem, qkv.Pointer, null, head, Output.Pointer, LogSumExp.Pointer, (byte*)scratch.Pointer);
    }

    internal void Backward()
    {
        using GuardedFloats scratch = new(CpuAttentionBackward.ScratchBytes(tokens, headSize) / sizeof(float));
        for (int head = 0; head < heads; head++)
        {
            CpuAttentionBackward.Run(
                Problem, OutputGradient.Pointer, Output.Pointer, qkv.Pointer, LogSumExp.Pointer, null, head, QkvGradient.Pointer,
                weightGradient.Pointer, weightGradient.Pointer, (byte*)scratch.Pointer);
        }
    }

    public void Dispose()
    {
        foreach (GuardedFloats buffer in (GuardedFloats[])[Output, OutputGradient, LogSumExp, QkvGradient, weightGradient])
            buffer.Dispose();
    }
}
