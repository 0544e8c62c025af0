using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Patchify"/> by the kernels of kernels/patchify.cu.</summary>
internal sealed class CudaPatchify(CudaDevice device) : IPatchifyKernels
{
    private const int Threads = 256;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.Patchify);

    public void ToTokens(Tensor image, int patch, Tensor tokens) => Run("patches_from_image", image, tokens, image.Shape, patch);

    public void ToImage(Tensor tokens, int patch, Tensor image) => Run("image_from_patches", tokens, image, image.Shape, patch);

    private void Run(string kernel, Tensor input, Tensor output, Shape image, int patch) => kernels.Launch(
        input.ElementType,
        kernel,
        CudaKernelFamily.Blocks(input.Count, Threads),
        Threads,
        new KernelArguments { input, output, input.Count, image[1], image[2], image[3], patch });
}
