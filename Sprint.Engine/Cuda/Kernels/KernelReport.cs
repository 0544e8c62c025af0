namespace Sprint.Engine.Cuda;

/// <summary>What a kernel needs on an architecture, and how well blocks of a size fill a multiprocessor of it.</summary>
/// <param name="Kernel">The kernel's name.</param>
/// <param name="Resources">Registers, stack, spills, shared and constant memory.</param>
/// <param name="BlockThreads">Threads a block.</param>
/// <param name="DynamicSharedBytes">Bytes of dynamic shared memory a block.</param>
/// <param name="Occupancy">Resident blocks and warps.</param>
public sealed record KernelReport(KernelName Kernel, KernelResources Resources, int BlockThreads, int DynamicSharedBytes, CudaOccupancy Occupancy)
{
    /// <summary>The block size of a kernel that declares none.</summary>
    public const int CustomaryBlockThreads = 256;

    /// <summary>The kernels of a program.</summary>
    /// <param name="program">Machine code, as only its assembler knows what a kernel needs.</param>
    /// <param name="blockThreads">
    /// Threads a block; null for what the kernel was compiled for (__launch_bounds__), or 256 where it declares none. A kernel that was compiled for fewer
    /// is reported with its own.
    /// </param>
    /// <param name="dynamicSharedBytes">Bytes of dynamic shared memory a block.</param>
    /// <exception cref="SprintException">The program is PTX.</exception>
    public static IReadOnlyList<KernelReport> Of(CompiledProgram program, int? blockThreads = null, int dynamicSharedBytes = 0) =>
        Of(program, blockThreads, _ => dynamicSharedBytes);

    /// <summary>The kernels of a program.</summary>
    /// <param name="program">Machine code, as only its assembler knows what a kernel needs.</param>
    /// <param name="blockThreads">As in the other overload.</param>
    /// <param name="dynamicSharedBytes">Bytes of dynamic shared memory a block of the kernel with that exact name.</param>
    /// <exception cref="SprintException">The program is PTX.</exception>
    public static IReadOnlyList<KernelReport> Of(CompiledProgram program, int? blockThreads, Func<string, int> dynamicSharedBytes)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(dynamicSharedBytes);
        if (program.Target.Kind == CudaImageKind.Ptx)
        {
            throw new SprintException($"PTX ({program.Target}) has no registers yet: ask for a report of machine code, e.g. of {CudaTarget.Cubin(program.Target.Architecture)}.");
        }

        MultiprocessorLimits limits = MultiprocessorLimits.Of(program.Target.Architecture);
        return [.. program.Resources.Select(kernel =>
        {
            int? most = KernelImageReader.ReadMaximumThreads(program.Image.Span, kernel.Kernel);
            int threads = Math.Min(blockThreads ?? most ?? CustomaryBlockThreads, most ?? int.MaxValue);
            int dynamic = dynamicSharedBytes(kernel.Kernel);
            return new KernelReport(KernelName.Parse(kernel.Kernel), kernel, threads, dynamic, limits.GetOccupancy(kernel, threads, dynamic));
        })];
    }
}
