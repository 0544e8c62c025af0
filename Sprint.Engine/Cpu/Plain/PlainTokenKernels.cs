using Sprint.Engine.Operations;

namespace Sprint.Engine.Cpu;

/// <summary><see cref="AdaptiveLayerNorm"/> in low precision: each result rounded once it is there.</summary>
internal sealed class PlainAdaptiveLayerNorm(CpuDevice device, IAdaptiveLayerNormKernels inner) : IAdaptiveLayerNormKernels
{
    public void Forward(Tensor input, Tensor modulation, int shiftChunk, int scaleChunk, Tensor output, Tensor statistics)
    {
        using Widened x = Widened.Read(device, input), by = Widened.Read(device, modulation), y = Widened.Write(device, output);
        inner.Forward(x, by, shiftChunk, scaleChunk, y, statistics);
    }

    public void Backward(
        Tensor gradient,
        Tensor input,
        Tensor modulation,
        int shiftChunk,
        int scaleChunk,
        Tensor statistics,
        Tensor inputGradient,
        bool accumulate,
        Tensor modulationGradient)
    {
        using Widened dy = Widened.Read(device, gradient), x = Widened.Read(device, input), by = Widened.Read(device, modulation);
        using Widened dx = Widened.Contribute(device, inputGradient, accumulate), dby = Widened.Update(device, modulationGradient);
        inner.Backward(dy, x, by, shiftChunk, scaleChunk, statistics, dx, accumulate, dby);
    }
}

/// <summary><see cref="GatedResidual"/> in low precision: each result rounded once it is there.</summary>
internal sealed class PlainGatedResidual(CpuDevice device, IGatedResidualKernels inner) : IGatedResidualKernels
{
    public void Forward(Tensor input, Tensor branch, Tensor modulation, int gateChunk, Tensor output)
    {
        using Widened x = Widened.Read(device, input), h = Widened.Read(device, branch), by = Widened.Read(device, modulation), y = Widened.Write(device, output);
        inner.Forward(x, h, by, gateChunk, y);
    }

    public void Backward(
        Tensor gradient, Tensor branch, Tensor modulation, int gateChunk, Tensor branchGradient, bool accumulate, Tensor modulationGradient)
    {
        using Widened dy = Widened.Read(device, gradient), h = Widened.Read(device, branch), by = Widened.Read(device, modulation);
        using Widened dh = Widened.Contribute(device, branchGradient, accumulate), dby = Widened.Update(device, modulationGradient);
        inner.Backward(dy, h, by, gateChunk, dh, accumulate, dby);
    }
}

/// <summary><see cref="TokenDrop"/> in low precision: rows are moved, and sums rounded once they are there.</summary>
internal sealed class PlainTokenDrop(CpuDevice device, ITokenDropKernels inner) : ITokenDropKernels
{
    public void Select(Tensor uniforms, DropPattern pattern, Tensor ids) => inner.Select(uniforms, pattern, ids);

    public void Locate(Tensor ids, Tensor pathDrop, Tensor rows) => inner.Locate(ids, pathDrop, rows);

    public void Gather(Tensor input, Tensor ids, Tensor output)
    {
        using Widened x = Widened.Read(device, input), y = Widened.Write(device, output);
        inner.Gather(x, ids, y);
    }

    public void GatherBackward(Tensor gradient, Tensor ids, Tensor inputGradient)
    {
        using Widened dy = Widened.Read(device, gradient), dx = Widened.Update(device, inputGradient);
        inner.GatherBackward(dy, ids, dx);
    }

    public void Scatter(Tensor input, Tensor rows, Tensor fill, Tensor output)
    {
        using Widened x = Widened.Read(device, input), m = Widened.Read(device, fill), y = Widened.Write(device, output);
        inner.Scatter(x, rows, m, y);
    }

    public void ScatterBackward(Tensor gradient, Tensor rows, Tensor inputGradient, Tensor fillGradient)
    {
        using Widened dy = Widened.Read(device, gradient), dx = Widened.Update(device, inputGradient), dm = Widened.Update(device, fillGradient);
        inner.ScatterBackward(dy, rows, dx, dm);
    }
}
