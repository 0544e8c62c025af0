using System.Text;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>A compiler whose PTX has every kernel that the source declares, and repeats what it was asked; it counts its work.</summary>
internal sealed class RecordingCompiler : ICudaCompiler
{
    private int compilations;

    public int Compilations => compilations;

    public Version Version { get; init; } = new(12, 8);

    public IReadOnlyList<int> SupportedArchitectures { get; init; } = [75, 80, 86, 89, 90, 100];

    public CudaSource? LastSource { get; private set; }

    public CompiledProgram Compile(CudaSource source, CudaCompilerOptions options)
    {
        Interlocked.Increment(ref compilations);
        LastSource = source;
        if (source.Text.Contains("#error", StringComparison.Ordinal))
        {
            throw new CudaCompilationException(source.Name, $"{source.Name}(1): error: #error directive\ncommon/own.cuh(2): error: also wrong\n");
        }

        string entries = string.Concat(source.Text.Split("extern \"C\"").Skip(1).Select(static part => $".visible .entry {NameOf(part)}() {{ ret; }}\n"));
        return new CompiledProgram
        {
            Target = options.Target,
            Image = Encoding.UTF8.GetBytes(entries + string.Join('\n', options.ToArguments())),
            Log = "log of " + source.Name,
            Resources = [new KernelResources("kernel", options.Target.Name, 1, 2, 3, 4, 5, 6)],
        };
    }

    private static string NameOf(string declaration) => declaration.Split('(', 2)[0].Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)[^1];
}
