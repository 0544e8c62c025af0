using System.CommandLine;
using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Train;

/// <summary>What a user asked to be launched.</summary>
/// <param name="File">The file, or the source of the engine's.</param>
/// <param name="Kernel">The kernel, or null for the only one.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Block">Threads a block.</param>
/// <param name="SharedBytes">Bytes of dynamic shared memory a block.</param>
/// <param name="Cooperative">Whether all blocks must be resident at once.</param>
/// <param name="Compilation">How to compile a source.</param>
/// <param name="Device">Where to run: the number of a GPU, or null for the emulated device.</param>
/// <param name="Seed">Seed of normal numbers.</param>
/// <param name="ScheduleSeed">Seed of the order in which emulated blocks begin and warps run.</param>
/// <param name="Budget">Most instructions of a warp on the emulated device.</param>
/// <param name="Workers">Threads of the host that execute emulated blocks; 0 for as many as there are cores.</param>
/// <param name="Arguments">The arguments in order.</param>
internal sealed record LaunchRequest(
    CudaFile File,
    string? Kernel,
    Dim3 Grid,
    Dim3 Block,
    int SharedBytes,
    bool Cooperative,
    CudaCompilerOptions Compilation,
    int? Device,
    ulong Seed,
    ulong ScheduleSeed,
    long Budget,
    int Workers,
    IReadOnlyList<KernelArgument> Arguments);

/// <summary>The options of <c>kernels run</c> and <c>kernels profile</c> that describe a launch.</summary>
internal sealed class LaunchOptions
{
    /// <summary>What both commands say at the end of their help.</summary>
    internal const string Remarks =
        """
        Arguments are given in the order of the kernel's parameters, each as
          TYPE:VALUE                 a number by value: f32:1.5  i32:-7  u64:0xff
          TYPE[SHAPE]=FILL           a pointer to a buffer filled with zeros, ones, iota (0, 1, 2, ...), normal (drawn from --seed),
                                     a number, or poison (never written, for outputs): f32[4,128]=normal  i32[256]=-1  f32[1024]=poison
          TYPE[SHAPE]@FILE#NAME      a pointer to a tensor of a safetensors file, floats converted to the type: bf16[64]@w.safetensors#bias
          @FILE#NAME                 the same with the tensor's own type and shape
          struct:{ARG,ARG,...}       a structure by value, its members arguments of any of these forms, laid out as C++ does; a buffer is a
                                     pointer of 8 bytes: struct:{f32[1024]=ones,i32:7,f32:1.5}
          bytes:HEX                  bytes as they are, lowest address first: bytes:0100000002000000
        Types: f64, f32, f16, bf16, i64, u64, i32, u32, i16, u16, i8, u8, bool.

        Exit code 0: the kernel ran; 1: it faulted (a race, an access out of bounds, a trap, ...); 2: something given here is wrong.
        """;

    private readonly Argument<string> file = new("FILE") { Description = "A CUDA source (.cu), or PTX that NVRTC, nvcc or clang made of one; where there is no such file, the engine's own source of that name, as sprint kernels list has it." };
    private readonly Option<string?> kernel = new("--kernel")
    {
        Description = "The kernel, by its exact (mangled) name or as its author wrote it: scale, mine::scale<float>. Not needed where there is only one.",
        HelpName = "NAME",
    };

    private readonly Option<string> grid = new("--grid") { Description = "Blocks.", HelpName = "X[,Y[,Z]]", Required = true };
    private readonly Option<string> block = new("--block") { Description = "Threads a block.", HelpName = "X[,Y[,Z]]", Required = true };
    private readonly Option<int> shared = new("--shared") { Description = "Bytes of dynamic shared memory a block; without it 0.", HelpName = "BYTES" };
    private readonly Option<bool> cooperative = new("--cooperative") { Description = "All blocks at once, or none where the device does not hold them: what grid.sync() of cooperative groups needs." };
    private readonly Option<string[]> arguments = new("--arg") { Description = "The next argument of the kernel; given once for each.", HelpName = "SPEC" };
    private readonly Option<string> device = new("--device")
    {
        Description = "emulated (checks every access; needs no GPU), cuda, or cuda:1 for the second GPU.",
        DefaultValueFactory = _ => "emulated",
        HelpName = "NAME",
    };

    private readonly Option<long> seed = new("--seed") { Description = "Draws normal numbers, and the order in which emulated blocks begin and warps run; without it 0.", HelpName = "NUMBER" };
    private readonly Option<long?> schedule = new("--schedule") { Description = "Draws the order of emulated blocks and warps alone, for the same numbers in another order; without it as --seed. Blocks begin in the order of the grid with 0.", HelpName = "NUMBER" };
    private readonly Option<long> budget = new("--budget")
    {
        Description = "Most instructions that a warp may execute on the emulated device before the kernel counts as endless.",
        DefaultValueFactory = _ => EmulationOptions.Default.InstructionBudget,
        HelpName = "COUNT",
    };

    private readonly Option<int> workers = new("--workers")
    {
        Description = "Threads of the host that execute emulated blocks; without it, or 0, as many as there are cores. Nothing depends on it but the order in which blocks come to an atomic operation, and which of two racing blocks a fault names.",
        HelpName = "COUNT",
    };

    private readonly SourcesOption sources = new();
    private readonly CompilationOptions compilation = new();

    internal void AddTo(Command command)
    {
        command.Arguments.Add(file);
        foreach (Option option in (Option[])[kernel, grid, block, shared, cooperative, arguments, device, seed, schedule, budget, workers, sources.Folder])
        {
            command.Options.Add(option);
        }

        compilation.AddTo(command);
    }

    /// <summary>Reads what the user gave.</summary>
    /// <exception cref="SprintException">Something is wrong.</exception>
    internal LaunchRequest Read(ParseResult result)
    {
        LaunchRequest request = ReadAll(result);
        if (!Path.Exists(request.File.Path))
        {
            result.InvocationConfiguration.Error.WriteLine($"there is no file {request.File.Path}: the engine's own source of that name is taken");
        }

        return request;
    }

    /// <summary>One, two or three extents.</summary>
    internal static Dim3 Extent(string option, string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        int[] extents = [1, 1, 1];
        for (int i = 0; i < parts.Length; i++)
        {
            if (i == extents.Length || !int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out extents[i]) || extents[i] < 1)
            {
                throw new SprintException($"{option} {text}: write X, X,Y or X,Y,Z, each a whole number from 1 to {int.MaxValue}");
            }
        }

        return new Dim3(extents[0], extents[1], extents[2]);
    }

    private LaunchRequest ReadAll(ParseResult result) => ReadAll(result, Open(result, result.GetRequiredValue(file)));

    private LaunchRequest ReadAll(ParseResult result, CudaFile opened) => new(
        opened,
        result.GetValue(kernel),
        Extent("--grid", result.GetRequiredValue(grid)),
        Extent("--block", result.GetRequiredValue(block)),
        (int)NotNegative("--shared", result.GetValue(shared)),
        result.GetValue(cooperative),
        opened.IsPtx ? compilation.RefusePtx(result, opened.Path) : compilation.Read(result),
        Device(result.GetValue(device) ?? ""),
        (ulong)NotNegative("--seed", result.GetValue(seed)),
        (ulong)NotNegative("--schedule", result.GetValue(schedule) ?? result.GetValue(seed)),
        result.GetValue(budget) is > 0 and long instructions ? instructions : throw new SprintException($"--budget {result.GetValue(budget)} must be at least 1"),
        result.GetValue(workers) is >= 0 and <= DeviceSelection.MaximumThreads and int threads ? threads : throw new SprintException($"--workers {result.GetValue(workers)} must be from 0 (as many as there are cores) to {DeviceSelection.MaximumThreads}"),
        [.. (result.GetValue(arguments) ?? []).Select(KernelArgument.Parse).Select(BufferData.Resolve)]);

    /// <summary>A file of the user's is meant before a source of the engine's that has its name.</summary>
    private CudaFile Open(ParseResult result, string path)
    {
        if (path.Length == 0)
        {
            throw new SprintException("FILE is empty: name a .cu or .ptx file");
        }

        if (!Path.Exists(path) && sources.Open(result).FindSource(path) is { } source)
        {
            return source;
        }

        CudaFile own = CudaFile.Read(path);
        sources.Refuse(result, path);
        return own;
    }

    private static long NotNegative(string option, long value) => value >= 0 ? value : throw new SprintException($"{option} {value} must be 0 or more");

    private static int? Device(string name)
    {
        const string Numbered = "cuda:";
        return name switch
        {
            "emulated" => null,
            "cuda" => 0,
            _ when name.StartsWith(Numbered, StringComparison.Ordinal) && int.TryParse(name[Numbered.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal) => ordinal,
            _ => throw new SprintException($"device '{name}' runs no kernels: choose emulated, cuda or cuda:N"),
        };
    }
}
