using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary>
/// <see cref="AdaptiveLayerNorm"/> on the CPU: rows stay in the first-level cache for their two sums and their result, four at a time,
/// so that one row's chain of additions fills the gaps in another's. A row's bits do not depend on its neighbours. Sums over tokens go to one partial row per segment of <see cref="CpuSegments.Rows"/> tokens, then over segments in order.
/// </summary>
internal sealed unsafe partial class CpuAdaptiveLayerNorm(CpuDevice device) : IAdaptiveLayerNormKernels
{
    public void Forward(Tensor input, Tensor modulation, int shiftChunk, int scaleChunk, Tensor output, Tensor statistics)
    {
        var segments = new CpuSegments(input.Shape);
        var job = new ForwardJob(
            segments,
            (float*)input.Address,
            (float*)modulation.Address,
            modulation.Shape[1],
            shiftChunk * segments.Width,
            scaleChunk * segments.Width,
            (float*)output.Address,
            statistics.IsEmpty ? null : (float*)statistics.Address);
        device.Pool.Run(ref job, segments.Count);
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
        var segments = new CpuSegments(input.Shape);
        using Tensor partials = device.Workspace(new Shape(segments.Count, 2, segments.Width));
        var job = new BackwardJob(
            segments,
            (float*)gradient.Address,
            (float*)input.Address,
            (float*)modulation.Address,
            modulation.Shape[1],
            scaleChunk * segments.Width,
            (float*)statistics.Address,
            inputGradient.IsEmpty ? null : (float*)inputGradient.Address,
            accumulate,
            (float*)partials.Address);
        device.Pool.Run(ref job, segments.Count);
        if (!modulationGradient.IsEmpty)
        {
            segments.SumPartials(device, partials, 0, modulationGradient, shiftChunk);
            segments.SumPartials(device, partials, 1, modulationGradient, scaleChunk);
        }
    }
}
