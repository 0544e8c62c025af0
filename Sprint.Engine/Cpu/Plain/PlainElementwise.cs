using Sprint.Engine.Operations;

namespace Sprint.Engine.Cpu;

/// <summary><see cref="Addition"/>, <see cref="Silu"/> and <see cref="Narrowing"/> in low precision: each result rounded once it is there.</summary>
internal sealed class PlainElementwise(CpuDevice device, IAdditionKernels addition, ISiluKernels silu) : IAdditionKernels, ISiluKernels, INarrowingKernels
{
    public void Add(Tensor left, Tensor right, Tensor output)
    {
        using Widened a = Widened.Read(device, left), b = Widened.Read(device, right), y = Widened.Write(device, output);
        addition.Add(a, b, y);
    }

    public void Forward(Tensor input, Tensor output)
    {
        using Widened x = Widened.Read(device, input), y = Widened.Write(device, output);
        silu.Forward(x, y);
    }

    public void Backward(Tensor gradient, Tensor input, Tensor inputGradient, bool accumulate)
    {
        using Widened dy = Widened.Read(device, gradient), x = Widened.Read(device, input), dx = Widened.Contribute(device, inputGradient, accumulate);
        silu.Backward(dy, x, dx, accumulate);
    }

    public void Narrow(Tensor input, Tensor output) => output.CopyFrom<ushort>(Array.ConvertAll(input.ToArray(), BrainFloat.Narrow));

    public void Widen(Tensor input, Tensor output, bool accumulate)
    {
        using Widened x = Widened.Read(device, input);
        if (accumulate)
        {
            addition.Add(output, x, output);
        }
        else
        {
            device.Copy(x, output);
        }
    }
}

/// <summary><see cref="Patchify"/>, <see cref="TimestepEmbedding"/> and <see cref="LabelEmbedding"/> in low precision.</summary>
internal sealed class PlainEmbedding(CpuDevice device, IPatchifyKernels patches, ITimestepEmbeddingKernels features, ILabelEmbeddingKernels rows)
    : IPatchifyKernels, ITimestepEmbeddingKernels, ILabelEmbeddingKernels
{
    public void ToTokens(Tensor image, int patch, Tensor tokens)
    {
        using Widened x = Widened.Read(device, image), y = Widened.Write(device, tokens);
        patches.ToTokens(x, patch, y);
    }

    public void ToImage(Tensor tokens, int patch, Tensor image)
    {
        using Widened x = Widened.Read(device, tokens), y = Widened.Write(device, image);
        patches.ToImage(x, patch, y);
    }

    void ITimestepEmbeddingKernels.Forward(Tensor times, Tensor output)
    {
        using Widened y = Widened.Write(device, output);
        features.Forward(times, y);
    }

    void ILabelEmbeddingKernels.Forward(Tensor table, Tensor labels, Tensor output)
    {
        using Widened x = Widened.Read(device, table), y = Widened.Write(device, output);
        rows.Forward(x, labels, y);
    }

    void ILabelEmbeddingKernels.Backward(Tensor gradient, Tensor labels, Tensor tableGradient)
    {
        using Widened dy = Widened.Read(device, gradient), dx = Widened.Update(device, tableGradient);
        rows.Backward(dy, labels, dx);
    }
}

/// <summary><see cref="FlowMatching"/> in low precision: each result rounded once it is there, the loss float32.</summary>
internal sealed class PlainFlowMatching(CpuDevice device, IFlowMatchingKernels inner) : IFlowMatchingKernels
{
    public void Interpolate(Tensor data, Tensor noise, Tensor times, FlowPath path, Tensor mixed, Tensor target)
    {
        using Widened x = Widened.Read(device, data), e = Widened.Read(device, noise), y = Widened.Write(device, mixed), v = Widened.Write(device, target);
        inner.Interpolate(x, e, times, path, y, v);
    }

    public void Loss(Tensor prediction, Tensor target, Tensor loss)
    {
        using Widened y = Widened.Read(device, prediction), v = Widened.Read(device, target);
        inner.Loss(y, v, loss);
    }

    public void LossBackward(Tensor gradient, Tensor prediction, Tensor target, Tensor predictionGradient)
    {
        using Widened y = Widened.Read(device, prediction), v = Widened.Read(device, target), dy = Widened.Write(device, predictionGradient);
        inner.LossBackward(gradient, y, v, dy);
    }
}

/// <summary><see cref="AdamW"/>: the values as ever, then their shadows.</summary>
internal sealed class PlainAdamW(IAdamWKernels inner) : IAdamWKernels
{
    public void GradientNorm(IReadOnlyList<AdamWState> states, Tensor norm) => inner.GradientNorm(states, norm);

    public void Configure(in AdamWSettings settings) => inner.Configure(settings);

    public void Forget(IReadOnlyList<AdamWState> states) => inner.Forget(states);

    public void Update(IReadOnlyList<AdamWState> states, Tensor norm)
    {
        inner.Update(states, norm);
        foreach (AdamWState state in states)
        {
            if (!state.Parameter.Shadow.IsEmpty)
            {
                state.Parameter.Shadow.CopyFrom<ushort>(Array.ConvertAll(state.Parameter.Value.ToArray(), BrainFloat.Narrow));
            }
        }
    }
}
