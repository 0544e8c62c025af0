using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="FlowMatching"/> on the CPU.</summary>
internal sealed unsafe class CpuFlowMatching(CpuDevice device) : IFlowMatchingKernels
{
    private const int Piece = 4096;

    public void Interpolate(Tensor data, Tensor noise, Tensor times, FlowPath path, Tensor mixed, Tensor target)
    {
        int samples = data.Shape[0];
        var job = new InterpolateJob(
            (float*)data.Address,
            (float*)noise.Address,
            (float*)times.Address,
            path,
            (float*)mixed.Address,
            (float*)target.Address,
            samples == 0 ? 0 : data.Count / samples);
        device.Pool.Run(ref job, samples);
    }

    public void Loss(Tensor prediction, Tensor target, Tensor loss)
    {
        long count = prediction.Count;
        int pieces = checked((int)((count + Piece - 1) / Piece));
        using Tensor partials = device.Workspace(new Shape(pieces));
        var job = new LossJob((float*)prediction.Address, (float*)target.Address, (float*)partials.Address, count);
        device.Pool.Run(ref job, pieces);
        double sum = 0;
        for (int i = 0; i < pieces; i++)
        {
            sum += ((float*)partials.Address)[i];
        }

        *(float*)loss.Address = (float)(sum / count);
    }

    public void LossBackward(Tensor gradient, Tensor prediction, Tensor target, Tensor predictionGradient) => Elementwise.Run(
        device, new Difference(*(float*)gradient.Address * 2f / prediction.Count), prediction, target, predictionGradient);

    private readonly struct Difference(float factor) : IElementwiseFunction
    {
        public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => (first - second) * factor;
    }

    private readonly struct InterpolateJob(
        float* data, float* noise, float* times, FlowPath path, float* mixed, float* target, long perSample)
        : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            FlowCoefficients at = FlowCoefficients.At(path, times[index]);
            (float alpha, float sigma) = ((float)at.Alpha, (float)at.Sigma);
            (float alphaDerivative, float sigmaDerivative) = ((float)at.AlphaDerivative, (float)at.SigmaDerivative);
            long start = index * perSample;
            for (long i = 0; i < perSample; i += Lanes.Count)
            {
                int left = (int)Math.Min(Lanes.Count, perSample - i);
                Vector512<float> x = Lanes.Load(data + start + i, left);
                Vector512<float> epsilon = Lanes.Load(noise + start + i, left);
                Lanes.Store((x * alpha) + (epsilon * sigma), mixed + start + i, left);
                Lanes.Store((x * alphaDerivative) + (epsilon * sigmaDerivative), target + start + i, left);
            }
        }
    }

    private readonly struct LossJob(float* prediction, float* target, float* partials, long count) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            long end = Math.Min(count, (index + 1L) * Piece);
            Vector512<float> sum = default;
            for (long i = (long)index * Piece; i < end; i += Lanes.Count)
            {
                int left = (int)(end - i);
                Vector512<float> difference = Lanes.Load(prediction + i, left) - Lanes.Load(target + i, left);
                sum = Vector512.FusedMultiplyAdd(difference, difference, sum);
            }

            partials[index] = Lanes.Sum(sum);
        }
    }
}
