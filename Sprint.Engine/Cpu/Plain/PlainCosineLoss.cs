using Sprint.Engine.Operations;

namespace Sprint.Engine.Cpu;

/// <summary><see cref="CosineLoss"/> in low precision: the gradient rounded once it is there, the loss float32.</summary>
internal sealed class PlainCosineLoss(CpuDevice device, ICosineLossKernels inner) : ICosineLossKernels
{
    public void Forward(Tensor prediction, Tensor target, Tensor ids, Tensor coefficients, Tensor loss)
    {
        using Widened p = Widened.Read(device, prediction), z = Widened.Read(device, target);
        inner.Forward(p, z, ids, coefficients, loss);
    }

    public void Backward(Tensor gradient, Tensor prediction, Tensor target, Tensor ids, Tensor coefficients, Tensor predictionGradient, bool accumulate)
    {
        using Widened p = Widened.Read(device, prediction), z = Widened.Read(device, target), dp = Widened.Contribute(device, predictionGradient, accumulate);
        inner.Backward(gradient, p, z, ids, coefficients, dp, accumulate);
    }
}
