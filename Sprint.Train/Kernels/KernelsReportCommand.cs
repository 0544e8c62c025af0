using System.CommandLine;
using System.Globalization;
using Spectre.Console;
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
            Description = "A CUDA source of your own; without it the engine's kernels are reported.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var architectures = new ArchitectureOption();
        var sources = new SourcesOption();
        var compilation = new CompilationOptions();
        var kernel = new Option<string?>("--kernel") { Description = "Only the kernels with this in their name.", HelpName = "NAME" };
        var block = new Option<int?>("--block")
        {
            Description = "Threads a block for the occupancy; without it those of __launch_bounds__, or 256.",
            HelpName = "THREADS",
        };
        var shared = new Option<int>("--shared") { Description = "Bytes of dynamic shared memory a block for the occupancy.", HelpName = "BYTES" };
        var command = new Command(
            "report",
            """
            Report registers, stack, spills, shared memory and occupancy for each architecture, as NVRTC's assembler has them. Needs NVRTC, but no GPU.
            Examples:
              sprint kernels report
              sprint kernels report --kernel gather --arch 80,90
              sprint kernels report mine.cu -D TILE=64 --block 128 --shared 32768
            """) { file, architectures.List, kernel, block, shared, sources.Folder };
        compilation.AddTo(command);
        command.SetAction(result =>
        {
            CudaRuntimeCompiler compiler = CudaRuntimeCompiler.Load();
            int? threads = result.GetValue(block);
            if (threads is < 1 or > MostThreads)
            {
                throw new SprintException($"--block {threads} is no number of threads a block: it is from 1 to {MostThreads}");
            }

            if (result.GetValue(shared) < 0)
            {
                throw new SprintException($"--shared {result.GetValue(shared)} is no number of bytes: it is 0 or more");
            }

            int[] chosen = architectures.Read(result, compiler);
            IEnumerable<(string Source, CompiledProgram Program)> programs = result.GetValue(file) is { } path
                ? Compile(CudaFile.Read(path), compilation.Read(result), chosen, compiler)
                : Compile(sources.Open(result), chosen);
            return Run(programs, result.GetValue(kernel) ?? "", threads, result.GetValue(shared));
        });
        return command;
    }

    private static IEnumerable<(string Source, CompiledProgram Program)> Compile(CudaFile file, CudaCompilerOptions options, int[] architectures, CudaRuntimeCompiler compiler) =>
        architectures.Select(architecture => (file.Path, file.Compile(options with { Target = CudaTarget.Cubin(architecture) }, () => compiler)));

    private static IEnumerable<(string Source, CompiledProgram Program)> Compile(KernelLibrary library, int[] architectures) =>
        from specialization in KernelCatalog.All
        from architecture in architectures
        select (specialization.ToString(), library.Get(specialization, CudaTarget.Cubin(architecture)).Program);

    private static int Run(IEnumerable<(string Source, CompiledProgram Program)> programs, string kernel, int? threads, int shared)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("kernel");
        foreach (string column in (string[])["for", "registers", "stack", "spill stores", "spill loads", "shared", "threads", "blocks", "warps", "occupancy"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        int rows = 0;
        var all = new SortedSet<string>(StringComparer.Ordinal);
        foreach (IGrouping<string, CompiledProgram> source in programs.ToLookup(static program => program.Source, static program => program.Program))
        {
            bool named = false;
            foreach (KernelReport report in source.SelectMany(program => KernelReport.Of(program, threads, shared)).OrderBy(static report => report.Kernel.Mangled, StringComparer.Ordinal))
            {
                all.Add(report.Kernel.Signature);
                if (!report.Kernel.Signature.Contains(kernel, StringComparison.Ordinal) && report.Kernel.Mangled != kernel)
                {
                    continue;
                }

                if (!named)
                {
                    table.AddRow($"[bold]{Markup.Escape(source.Key)}[/]");
                    named = true;
                }

                Add(table, report);
                rows++;
            }
        }

        if (rows == 0)
        {
            throw new SprintException(all.Count == 0
                ? "there is no kernel to report: declare one __global__, and instantiate it where it is a template"
                : $"no kernel has '{kernel}' in its name: there are {string.Join("; ", all)}");
        }

        AnsiConsole.Write(table);
        Console.WriteLine("registers, stack and spills in 32-bit registers and bytes a thread; shared memory in bytes a block; blocks and warps resident on a multiprocessor");
        return ExitCode.Success;
    }

    private static void Add(Table table, KernelReport report)
    {
        KernelResources kernel = report.Resources;
        table.AddRow(
            "  " + Markup.Escape(report.Kernel.Signature),
            kernel.Architecture,
            Number(kernel.Registers),
            Alarm(kernel.StackBytes),
            Alarm(kernel.SpillStoreBytes),
            Alarm(kernel.SpillLoadBytes),
            Number(kernel.SharedBytes),
            Number(report.BlockThreads),
            Number(report.Occupancy.Blocks),
            Number(report.Occupancy.Warps),
            report.Occupancy.Fraction.ToString("P0", CultureInfo.InvariantCulture));
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // What a hot kernel should not have stands out.
    private static string Alarm(int value) => value == 0 ? "0" : $"[yellow]{Number(value)}[/]";
}
