namespace Sprint.Engine.Cuda;

/// <summary>
/// The kernels of one source of kernels/ on one device, for every element type: compiled and loaded when the first of them is launched, kept for
/// the life of the device. What an operation's implementation launches through:
/// <c>kernels.Launch(x.ElementType, "tokens_gather_forward", grid, block, new KernelArguments { x, ids, y, width });</c>
/// </summary>
/// <param name="device">The device.</param>
/// <param name="specialize">The specialisation for an element, e.g. <c>KernelCatalog.TokenDrop</c>.</param>
public sealed class CudaKernelFamily(CudaDevice device, Func<string, KernelSpecialization> specialize)
{
    private const int VectorBytes = 16;

    private readonly Dictionary<ElementType, CudaModule> modules = [];
    private readonly Dictionary<(ElementType Element, string EntryPoint), CudaKernel> kernels = [];

    /// <summary>Blocks that cover a count of things.</summary>
    /// <param name="count">How many things, at least 0.</param>
    /// <param name="perBlock">How many a block takes.</param>
    /// <returns>At least 1: a launch of no block at all is refused by CUDA, and kernels guard their tails.</returns>
    /// <exception cref="SprintException">That is more blocks than a grid has.</exception>
    public static int Blocks(long count, int perBlock)
    {
        long blocks = Math.Max(1, (count + perBlock - 1) / perBlock);
        return blocks <= int.MaxValue ? (int)blocks : throw new SprintException($"{count} things in blocks of {perBlock} are more than the {int.MaxValue} blocks of a grid.");
    }

    /// <summary>A kernel for tensors of an element type.</summary>
    /// <param name="element">How tensors are stored.</param>
    /// <param name="entryPoint">The kernel's name.</param>
    /// <exception cref="SprintException">The source does not compile or has no such kernel, or no kernels are written for the element type.</exception>
    public CudaKernel this[ElementType element, string entryPoint]
    {
        get
        {
            if (!kernels.TryGetValue((element, entryPoint), out CudaKernel? kernel))
            {
                if (!modules.TryGetValue(element, out CudaModule? module))
                {
                    modules.Add(element, module = device.Load(specialize(NameOf(element))));
                }

                kernels.Add((element, entryPoint), kernel = module.GetKernel(entryPoint));
            }

            return kernel;
        }
    }

    /// <summary>Elements of the widest access, 16 bytes.</summary>
    /// <param name="element">How tensors are stored.</param>
    public static int VectorLength(ElementType element) => VectorBytes / element.Size();

    /// <summary>Puts a launch into the device's stream.</summary>
    /// <param name="element">How tensors are stored.</param>
    /// <param name="entryPoint">The kernel's name.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads a block.</param>
    /// <param name="arguments">The arguments in the order of the parameters.</param>
    /// <param name="dynamicSharedBytes">Bytes of dynamic shared memory a block.</param>
    /// <exception cref="SprintException">The kernel cannot be had, or the launch does not fit it or the device.</exception>
    public void Launch(ElementType element, string entryPoint, Dim3 grid, Dim3 block, in KernelArguments arguments, int dynamicSharedBytes = 0) =>
        this[element, entryPoint].Launch(device.Stream, grid, block, arguments, dynamicSharedBytes);

    private static string NameOf(ElementType element) => element switch
    {
        ElementType.Float32 => KernelCatalog.FloatElement,
        ElementType.BFloat16 => KernelCatalog.BFloat16Element,
        _ => throw new SprintException($"No kernels are written for tensors of {element}: store them as {ElementType.Float32} or {ElementType.BFloat16}."),
    };
}
