using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="FlowMatching"/> by the kernels of kernels/flow_matching.cu.</summary>
internal sealed class CudaFlowMatching(CudaDevice device) : IFlowMatchingKernels
{
    private const int Threads = 256;
    private const int PacksPerThread = 4;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.FlowMatching);

    public void Interpolate(Tensor data, Tensor noise, Tensor times, FlowPath path, Tensor mixed, Tensor target)
    {
        int samples = data.Shape[0];
        if (data.Count == 0)
        {
            return;
        }

        long perSample = data.Count / samples;
        int vector = CudaKernelFamily.VectorLength(data.ElementType);
        kernels.Launch(
            data.ElementType,
            "flow_matching_interpolate",
            (CudaKernelFamily.Blocks(perSample % vector == 0 ? perSample / vector : perSample, Threads), samples),
            Threads,
            new KernelArguments { data, noise, times, mixed, target, perSample, path == FlowPath.Cosine ? 1 : 0 });
    }

    public void Loss(Tensor prediction, Tensor target, Tensor loss)
    {
        ElementType element = prediction.ElementType;
        int parts = CudaKernelFamily.Blocks(prediction.Count, Threads * PacksPerThread * CudaKernelFamily.VectorLength(element));
        using Tensor partial = device.Workspace(new Shape(parts));
        kernels.Launch(element, "flow_matching_loss", parts, Threads, new KernelArguments { prediction, target, partial, prediction.Count });
        kernels.Launch(element, "flow_matching_loss_reduce", 1, Threads, new KernelArguments { partial, loss, parts, prediction.Count });
    }

    public void LossBackward(Tensor gradient, Tensor prediction, Tensor target, Tensor predictionGradient)
    {
        ElementType element = prediction.ElementType;
        kernels.Launch(
            element,
            "flow_matching_loss_backward",
            CudaKernelFamily.Blocks(prediction.Count, Threads * CudaKernelFamily.VectorLength(element)),
            Threads,
            new KernelArguments { gradient, prediction, target, predictionGradient, prediction.Count });
    }
}
