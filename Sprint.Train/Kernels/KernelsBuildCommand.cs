using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>The command <c>kernels build</c>: compiles every specialisation ahead of its first use.</summary>
internal static class KernelsBuildCommand
{
    private const string PrebuiltFolder = "kernels/prebuilt";

    internal static Command Create()
    {
        var source = new Argument<string?>("SOURCE") { Description = "Only this source, e.g. token_drop.cu; without it all of them.", Arity = ArgumentArity.ZeroOrOne };
        var architectures = new ArchitectureOption();
        var sources = new SourcesOption();
        var output = new Option<string?>("--out") { Description = "Also write the compiled images into this folder.", HelpName = "FOLDER" };
        var prebuilt = new Option<bool>("--prebuilt")
        {
            Description = $"Instead refresh the PTX in {PrebuiltFolder} of the checkout, or in the folder that --out names, which serves machines without NVRTC.",
        };
        var command = new Command(
            "build",
            """
            Compile every specialisation of the kernels into the cache on disk, so that no run has to wait for it.
            Examples:
              sprint kernels build --arch 80,90
              sprint kernels build --arch sm_89 --out cubins
              sprint kernels build --prebuilt
            """) { source, architectures.List, output, prebuilt, sources.Folder };
        command.SetAction(result =>
        {
            CudaRuntimeCompiler compiler = CudaRuntimeCompiler.Load();
            if (result.GetValue(prebuilt))
            {
                return result.GetValue(architectures.List) is null && result.GetValue(sources.Folder) is null && result.GetValue(source) is null
                    ? RefreshPrebuilt(result.GetValue(output) ?? ProjectFiles.Find(PrebuiltFolder), compiler)
                    : throw new SprintException("--prebuilt is PTX of compute_80 of all the checkout's own sources: leave out SOURCE, --arch and --sources");
            }

            return Run(sources.Open(result), Choose(result.GetValue(source)), architectures.Read(result, compiler), result.GetValue(output));
        });
        return command;
    }

    private static KernelSpecialization[] Choose(string? source)
    {
        KernelSpecialization[] chosen = [.. KernelCatalog.All.Where(specialization => source is null || specialization.Source == source)];
        return chosen.Length > 0
            ? chosen
            : throw new SprintException($"there is no kernel source '{source}': choose one of {string.Join(", ", KernelCatalog.All.Select(static specialization => specialization.Source).Distinct())}");
    }

    private static int Run(KernelLibrary library, KernelSpecialization[] chosen, int[] architectures, string? output)
    {
        (KernelSpecialization Specialization, CudaTarget Target)[] wanted =
            [.. chosen.SelectMany(specialization => architectures.Select(architecture => (specialization, CudaTarget.Cubin(architecture))))];
        KernelImage[] images = Compile(library, wanted);
        Table table = new Table().Border(TableBorder.Simple).AddColumn("specialisation").AddColumn("for").AddColumn(new TableColumn("bytes").RightAligned()).AddColumn("");
        foreach (KernelImage image in images)
        {
            table.AddRow(
                Markup.Escape(image.Specialization.ToString()),
                image.Program.Target.Name,
                image.Program.Image.Length.ToString("N0", CultureInfo.InvariantCulture),
                image.Origin == KernelImageOrigin.Cached ? "was in the cache" : "compiled");
        }

        AnsiConsole.Write(table);
        if (output is not null)
        {
            Write(output, images);
            Console.WriteLine($"{images.Length} images are in {output}");
        }

        if (library.CacheProblem is { } problem)
        {
            throw new SprintException($"the images cannot be kept in {library.CacheFolder}: {problem}; name another folder with SPRINT_CACHE");
        }

        Console.WriteLine($"{images.Length} images are kept in {library.CacheFolder}");
        return ExitCode.Success;
    }

    private static KernelImage[] Compile(KernelLibrary library, (KernelSpecialization Specialization, CudaTarget Target)[] wanted)
    {
        var images = new KernelImage[wanted.Length];
        var failures = new ConcurrentDictionary<int, Exception>();
        AnsiConsole.Progress().Start(context =>
        {
            ProgressTask task = context.AddTask("compiling", maxValue: wanted.Length);
            Parallel.For(0, wanted.Length, (i, loop) =>
            {
                try
                {
                    images[i] = library.Get(wanted[i].Specialization, wanted[i].Target);
                    task.Increment(1);
                }
                catch (SprintException failure)
                {
                    failures[i] = failure;
                    loop.Break();
                }
            });
        });
        if (!failures.IsEmpty)
        {
            ExceptionDispatchInfo.Throw(failures.MinBy(static failure => failure.Key).Value);
        }

        return images;
    }

    private static void Write(string folder, KernelImage[] images)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SprintException($"the folder {folder} cannot be created: {failure.Message}", failure);
        }

        foreach (KernelImage image in images)
        {
            AtomicFile.Write(
                Path.Combine(folder, $"{image.Specialization.Name}-{image.Program.Target.Name}.cubin"), stream => stream.Write(image.Program.Image.Span));
        }
    }

    private static int RefreshPrebuilt(string folder, CudaRuntimeCompiler compiler)
    {
        // The refresh deletes PTX of specialisations that are gone: in no folder that holds other PTX.
        if (Directory.Exists(folder) && !File.Exists(Path.Combine(folder, "manifest.json")) && Directory.EnumerateFiles(folder, "*.ptx").Any())
        {
            throw new SprintException($"{folder} holds PTX but no manifest.json, so it is no folder of prebuilt kernels: name another with --out");
        }

        if (!Directory.Exists(folder) && folder == PrebuiltFolder)
        {
            throw new SprintException($"there is no folder {PrebuiltFolder} here: call the command within a checkout, or name a folder with --out");
        }

        IReadOnlyList<string> files = PrebuiltKernels.Refresh(folder, compiler);
        Console.WriteLine($"{files.Count} files are written to {folder} by NVRTC {compiler.Version}: {string.Join(", ", files)}");
        return ExitCode.Success;
    }
}
