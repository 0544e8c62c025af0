using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="LabelEmbedding"/> on the CPU.</summary>
internal sealed unsafe class CpuLabelEmbedding : ILabelEmbeddingKernels
{
    public void Forward(Tensor table, Tensor labels, Tensor output)
    {
        int width = table.Shape[1];
        for (int sample = 0; sample < labels.Shape[0]; sample++)
        {
            new ReadOnlySpan<float>((float*)table.Address + (Row(labels, sample, table) * width), width)
                .CopyTo(new Span<float>((float*)output.Address + ((long)sample * width), width));
        }
    }

    public void Backward(Tensor gradient, Tensor labels, Tensor tableGradient)
    {
        int width = gradient.Shape[1];
        for (int sample = 0; sample < labels.Shape[0]; sample++)
        {
            float* sum = (float*)tableGradient.Address + (Row(labels, sample, tableGradient) * width);
            float* dy = (float*)gradient.Address + ((long)sample * width);
            for (int i = 0; i < width; i += Lanes.Count)
            {
                Lanes.Contribute(Lanes.Load(dy + i, width - i), sum + i, width - i, accumulate: true);
            }
        }
    }

    private static long Row(Tensor labels, int sample, Tensor table)
    {
        int label = ((int*)labels.Address)[sample];
        Require.That((uint)label < (uint)table.Shape[0], "label embedding", $"label {label} is not one of {table.Shape[0]} rows");
        return label;
    }
}
