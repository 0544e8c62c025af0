using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="GatedResidual"/> on the CPU.</summary>
internal sealed unsafe class CpuGatedResidual(CpuDevice device) : IGatedResidualKernels
{
    public void Forward(Tensor input, Tensor branch, Tensor modulation, int gateChunk, Tensor output)
    {
        var segments = new CpuSegments(input.Shape);
        var job = new ForwardJob(
            segments,
            (float*)input.Address,
            (float*)branch.Address,
            (float*)modulation.Address + ((long)gateChunk * segments.Width),
            modulation.Shape[1],
            (float*)output.Address);
        device.Pool.Run(ref job, segments.Count);
    }

    public void Backward(
        Tensor gradient,
        Tensor branch,
        Tensor modulation,
        int gateChunk,
        Tensor branchGradient,
        bool accumulate,
        Tensor modulationGradient)
    {
        var segments = new CpuSegments(branch.Shape);
        using Tensor partials = device.Workspace(new Shape(segments.Count, 1, segments.Width));
        var job = new BackwardJob(
            segments,
            (float*)gradient.Address,
            (float*)branch.Address,
            (float*)modulation.Address + ((long)gateChunk * segments.Width),
            modulation.Shape[1],
            branchGradient.IsEmpty ? null : (float*)branchGradient.Address,
            accumulate,
            (float*)partials.Address);
        device.Pool.Run(ref job, segments.Count);
        if (!modulationGradient.IsEmpty)
        {
            segments.SumPartials(device, partials, 0, modulationGradient, gateChunk);
        }
    }

    private readonly struct ForwardJob(CpuSegments segments, float* input, float* branch, float* gates, int gateRow, float* output)
        : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            int width = segments.Width;
            (int sample, long first, long end) = segments.Range(index);
            float* gate = gates + ((long)sample * gateRow);
            for (long row = first; row < end; row++)
            {
                long start = row * width;
                for (int i = 0; i < width; i += Lanes.Count)
                {
                    int left = width - i;
                    Vector512<float> result = Vector512.FusedMultiplyAdd(
                        Lanes.Load(gate + i, left), Lanes.Load(branch + start + i, left), Lanes.Load(input + start + i, left));
                    Lanes.Store(result, output + start + i, left);
                }
            }
        }
    }

    private readonly struct BackwardJob(
        CpuSegments segments,
        float* gradient,
        float* branch,
        float* gates,
        int gateRow,
        float* branchGradient,
        bool accumulate,
        float* partials)
        : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            int width = segments.Width;
            (int sample, long first, long end) = segments.Range(index);
            float* gate = gates + ((long)sample * gateRow);
            float* sum = partials + ((long)index * width);
            new Span<float>(sum, width).Clear();
            for (long row = first; row < end; row++)
            {
                long start = row * width;
                for (int i = 0; i < width; i += Lanes.Count)
                {
                    int left = width - i;
                    Vector512<float> upstream = Lanes.Load(gradient + start + i, left);
                    Lanes.Store(
                        Vector512.FusedMultiplyAdd(upstream, Lanes.Load(branch + start + i, left), Lanes.Load(sum + i, left)), sum + i, left);
                    if (branchGradient != null)
                    {
                        Lanes.Contribute(upstream * Lanes.Load(gate + i, left), branchGradient + start + i, left, accumulate);
                    }
                }
            }
        }
    }
}
