using System.Runtime.CompilerServices;
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
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int index, int worker)
        {
            int width = segments.Width;
            (int sample, long first, long end) = segments.Range(index);
            float* gate = gates + ((long)sample * gateRow);
            int whole = width / Lanes.Count * Lanes.Count;
            for (long row = first; row < end; row++)
            {
                long start = row * width;
                for (int i = 0; i < whole; i += Lanes.Count)
                {
                    Columns(start + i, Lanes.Count, gate + i);
                }

                if (whole < width)
                {
                    Columns(start + whole, width - whole, gate + whole);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Columns(long start, int left, float* gate)
        {
            Vector512<float> result = Vector512.FusedMultiplyAdd(
                Lanes.Load(gate, left), Lanes.Load(branch + start, left), Lanes.Load(input + start, left));
            Lanes.Store(result, output + start, left);
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
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int index, int worker)
        {
            int width = segments.Width;
            (int sample, long first, long end) = segments.Range(index);
            float* gate = gates + ((long)sample * gateRow);
            float* sum = partials + ((long)index * width);
            new Span<float>(sum, width).Clear();
            long row = first;
            for (; row + 4 <= end; row += 4)
            {
                Rows<TileNumber4>(row, gate, sum);
            }

            for (; row < end; row++)
            {
                Rows<TileNumber1>(row, gate, sum);
            }
        }

        /// <summary>Some rows at a time: the gate is read and the sum written once for all of them.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Rows<TRows>(long row, float* gate, float* sum)
            where TRows : struct, ITileNumber
        {
            int width = segments.Width;
            int whole = width / Lanes.Count * Lanes.Count;
            long start = row * width;
            for (int i = 0; i < whole; i += Lanes.Count)
            {
                Columns<TRows>(start + i, Lanes.Count, gate + i, sum + i);
            }

            if (whole < width)
            {
                Columns<TRows>(start + whole, width - whole, gate + whole, sum + whole);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Columns<TRows>(long start, int left, float* gate, float* sum)
            where TRows : struct, ITileNumber
        {
            Vector512<float> factor = Lanes.Load(gate, left);
            Vector512<float> total = Row(start, left, factor, Lanes.Load(sum, left));
            if (TRows.Value == 4)
            {
                long width = segments.Width;
                total = Row(start + width, left, factor, total);
                total = Row(start + (2 * width), left, factor, total);
                total = Row(start + (3 * width), left, factor, total);
            }

            Lanes.Store(total, sum, left);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Vector512<float> Row(long start, int left, Vector512<float> factor, Vector512<float> total)
        {
            Vector512<float> upstream = Lanes.Load(gradient + start, left);
            total = Vector512.FusedMultiplyAdd(upstream, Lanes.Load(branch + start, left), total);
            if (branchGradient != null)
            {
                Lanes.Contribute(upstream * factor, branchGradient + start, left, accumulate);
            }

            return total;
        }
    }
}
