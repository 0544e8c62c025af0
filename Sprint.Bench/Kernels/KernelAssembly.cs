using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Bench.Kernels;

/// <summary>What the assembler says of kernels, as <c>sprint kernels report</c> has it: registers, stack, spills, occupancy of the launch.</summary>
internal sealed class KernelAssembly
{
    private readonly KernelLibrary library;
    private readonly int architecture;
    private readonly IReadOnlyList<KernelSpecialization> known;
    private readonly Dictionary<string, CompiledProgram> programs = [];

    /// <summary>Prepares.</summary>
    /// <param name="library">Where kernels come from; must have a compiler.</param>
    /// <param name="architecture">For which GPU, e.g. 80.</param>
    /// <param name="headSize">Channels of the model's heads, for which attention is specialised.</param>
    /// <exception cref="SprintException">The compiler does not know the architecture.</exception>
    public KernelAssembly(KernelLibrary library, int architecture, int headSize)
    {
        IReadOnlyList<int> architectures = library.Compiler!.SupportedArchitectures;
        if (!architectures.Contains(architecture) || architecture < KernelLibrary.BaselineArchitecture)
        {
            throw new SprintException(
                $"--arch {architecture}: NVRTC {library.Compiler.Version} compiles the kernels for {string.Join(", ", architectures.Where(static found => found >= KernelLibrary.BaselineArchitecture))}");
        }

        (this.library, this.architecture) = (library, architecture);
        string[] elements = [KernelCatalog.FloatElement, KernelCatalog.BFloat16Element];
        known =
        [
            .. KernelCatalog.All,
            .. elements.SelectMany(element => new[]
            {
                KernelCatalog.AttentionForward(element, headSize, 64), KernelCatalog.AttentionForward(element, headSize, 128), KernelCatalog.AttentionBackward(element, headSize),
            }),
        ];
    }

    /// <summary>What a launched kernel needs.</summary>
    /// <param name="launch">The launch.</param>
    /// <returns>The report, or null where its specialisation is not one of the engine's.</returns>
    public KernelReport? Report(ProbedLaunch launch)
    {
        KernelSpecialization? specialization = known.FirstOrDefault(found => launch.Module.StartsWith($"{found} (", StringComparison.Ordinal));
        if (specialization is null)
            return null;
        string name = specialization.ToString();
        if (!programs.TryGetValue(name, out CompiledProgram? program))
            programs.Add(name, program = library.Get(specialization, CudaTarget.Cubin(architecture)).Program);
        return KernelReport.Of(program, (int)launch.Block.Count, launch.DynamicSharedBytes).FirstOrDefault(found => found.Kernel.Mangled == launch.Kernel);
    }
}
