using System.CommandLine;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>The command <c>kernels report</c>: what kernels need on each architecture.</summary>
internal static class KernelsReportCommand
{
    private const int MostThreads = 1024;

    internal static Command Create()
    {
        var file = new Argument<string?>("FILE.cu")
        {
            Description = "A CUDA source of your own, or the name of one of the engine's (token_drop.cu); without it all of the engine's kernels are reported.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var architectures = new ArchitectureOption();
        var sources = new SourcesOption();
        var compilation = new CompilationOptions();
        var kernel = new Option<string?>("--kernel")
        {
            Description = "Only the kernels with this in their name. A template of your file that it does not instantiate itself is instantiated: scale<float,4>.",
            HelpName = "NAME",
        };
        var block = new Option<int?>("--block")
        {
            Description = "Threads a block for the occupancy; without it those of __launch_bounds__, or 256.",
            HelpName = "THREADS",
        };
        var shared = new Option<int?>("--shared")
        {
            Description = "Bytes of dynamic shared memory a block for the occupancy; without it what the engine launches its kernels with, and 0 for yours.",
            HelpName = "BYTES",
        };
        var json = new Option<bool>("--json") { Description = "Print a JSON array with one object for each row instead of the table." };
        var command = new Command(
            "report",
            """
            Report registers, stack, spills, shared memory and occupancy for each architecture, as NVRTC's assembler has them. Needs NVRTC, but no GPU.
            Examples:
              sprint kernels report
              sprint kernels report --kernel gather --arch 80,90
              sprint kernels report mine.cu -D TILE=64 --block 128 --shared 32768
              sprint kernels report mine.cu --kernel "scale<float,4>" --json
            """) { file, architectures.List, kernel, block, shared, sources.Folder, json };
        compilation.AddTo(command);
        command.SetAction(result =>
        {
            CudaRuntimeCompiler compiler = CudaRuntimeCompiler.Load();
            int? threads = result.GetValue(block);
            if (threads is < 1 or > MostThreads)
            {
                throw new SprintException($"--block {threads} is no number of threads a block: it is from 1 to {MostThreads}");
            }

            int? bytes = result.GetValue(shared);
            if (bytes < 0)
            {
                throw new SprintException($"--shared {bytes} is no number of bytes: it is 0 or more");
            }

            int[] chosen = architectures.Read(result, compiler);
            string name = result.GetValue(kernel) ?? "";
            KernelReportRow[] rows;
            if (result.GetValue(file) is { } path && !IsOfTheEngine(path))
            {
                sources.Refuse(result, path);
                rows = Rows(CudaFile.Read(path), name, compilation.Read(result), chosen, compiler, threads, bytes);
            }
            else
            {
                compilation.Refuse(result);
                rows = Rows(sources.Open(result), result.GetValue(file), chosen, threads, bytes);
            }

            KernelReportRow[] wanted = [.. rows.Where(row => row.Report.Kernel.Contains(name))];
            if (wanted.Length == 0)
            {
                throw NoKernel(rows, name);
            }

            if (result.GetValue(json))
            {
                Console.WriteLine(KernelReportRow.Json(wanted));
            }
            else
            {
                KernelReportRow.WriteTable(wanted);
            }

            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>A file of the user's is meant before a source of the engine that has its name.</summary>
    private static bool IsOfTheEngine(string path) => !Path.Exists(path) && KernelCatalog.All.Any(known => known.Source == path);

    private static KernelReportRow[] Rows(
        CudaFile file, string kernel, CudaCompilerOptions options, int[] architectures, CudaRuntimeCompiler compiler, int? threads, int? shared)
    {
        CompiledProgram[] programs = ManyCompilations.Run(architectures.Length, i =>
        {
            CudaCompilerOptions target = options with { Target = CudaTarget.Cubin(architectures[i]) };
            CompiledProgram program = file.Compile(target, () => compiler);
            return kernel.Contains('<', StringComparison.Ordinal) && !program.Resources.Any(resources => KernelName.Parse(resources.Kernel).Contains(kernel))
                ? file.Instantiate(kernel, target, () => compiler).Program!
                : program;
        });
        return KernelReportRow.Of(file.Path, programs, threads, _ => shared ?? 0);
    }

    private static KernelReportRow[] Rows(KernelLibrary library, string? source, int[] architectures, int? threads, int? shared)
    {
        KernelSpecialization[] chosen = [.. KernelCatalog.All.Where(specialization => source is null || specialization.Source == source)];
        CompiledProgram[] programs = ManyCompilations.Run(
            chosen.Length * architectures.Length, i => library.Get(chosen[i / architectures.Length], CudaTarget.Cubin(architectures[i % architectures.Length])).Program);
        return [.. chosen.SelectMany((specialization, i) =>
            KernelReportRow.Of(specialization.ToString(), programs.Skip(i * architectures.Length).Take(architectures.Length), threads,
                entryPoint => shared ?? KernelCatalog.DynamicSharedBytes(specialization, entryPoint)))];
    }

    private static SprintException NoKernel(KernelReportRow[] rows, string kernel) => new(rows.Length == 0
        ? "there is no kernel to report: declare one __global__, and instantiate it where it is a template, in the file or with --kernel \"scale<float>\""
        : $"no kernel has '{kernel}' in its name: there are {string.Join("; ", rows.Select(static row => row.Report.Kernel.Signature).Distinct().Order(StringComparer.Ordinal))}");
}
