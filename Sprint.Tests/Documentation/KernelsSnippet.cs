using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Documentation;

/// <summary>The library snippets of docs/kernels.md, as code that is compiled and run.</summary>
internal static class KernelsSnippet
{
    internal static (float Mean, float[] Numbers) Run()
    {
        // snippet
        var library = new KernelLibrary(new KernelLibraryOptions { SourceFolder = "mine" });
        using var device = new CudaDevice(CudaContext.Emulated(), library);
        device.Register<IRandomKernels>(new HashRandom(device));
        using Tensor uniform = RandomNumbers.Uniform(device, new Shape(10_000), new RandomStream(Seed: 1, Stream: 0));
        float mean = uniform.ToArray().Average();
        // end of snippet
        return (mean, uniform.ToArray());
    }
}

// snippet
internal sealed class HashRandom(CudaDevice device) : IRandomKernels
{
    private readonly CudaKernelFamily kernels = new(device, _ => new KernelSpecialization("hash_random.cu", ["hash_uniform"], []));
    private readonly IRandomKernels builtIn = device.Kernels<IRandomKernels>();

    public void Uniform(RandomStream stream, Tensor output) => kernels.Launch(
        ElementType.Float32,
        "hash_uniform",
        CudaKernelFamily.Blocks(output.Count, 256),
        256,
        new KernelArguments { output, output.Count, stream.Seed });

    public void Normal(RandomStream stream, Tensor output) => builtIn.Normal(stream, output);
}
// end of snippet
