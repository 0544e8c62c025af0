namespace Sprint.Engine.Operations;

/// <summary><see cref="TimestepEmbedding"/> on the CPU: a few thousand sines a step, so plain code.</summary>
internal sealed unsafe class CpuTimestepEmbedding : ITimestepEmbeddingKernels
{
    public void Forward(Tensor times, Tensor output)
    {
        int half = output.Shape[1] / 2;
        for (int sample = 0; sample < times.Shape[0]; sample++)
        {
            float time = ((float*)times.Address)[sample];
            float* row = (float*)output.Address + ((long)sample * 2 * half);
            for (int i = 0; i < half; i++)
            {
                float angle = time * MathF.Exp(-MathF.Log(10000f) * i / half);
                (float sine, float cosine) = MathF.SinCos(angle);
                row[i] = cosine;
                row[half + i] = sine;
            }
        }
    }
}
