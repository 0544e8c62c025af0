using System.CommandLine;
using System.Globalization;
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
        var source = new Argument<string?>("SOURCE")
        {
            Description = "Only this source of the engine's, e.g. token_drop.cu, or a CUDA file of your own; without it all of the engine's.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var architectures = new ArchitectureOption();
        var sources = new SourcesOption();
        var compilation = new CompilationOptions();
        var output = new Option<string?>("--out") { Description = "Also write the compiled images into this folder; for a file of your own it is needed.", HelpName = "FOLDER" };
        var kernel = new Option<string?>("--kernel") { Description = "Instantiate this template of your own file: scale<float,4>.", HelpName = "NAME" };
        var prebuilt = new Option<bool>("--prebuilt")
        {
            Description = $"Instead refresh the PTX in {PrebuiltFolder} of the checkout, or in the folder that --out names, which serves machines without NVRTC.",
        };
        var command = new Command(
            "build",
            """
            Compile every specialisation of the kernels into the cache on disk, so that no run has to wait for it; or a file of your own to cubins.
            Examples:
              sprint kernels build --arch 80,90
              sprint kernels build --arch sm_89 --out cubins
              sprint kernels build mine.cu --kernel "scale<float,4>" --arch 80 --out cubins
              sprint kernels build --prebuilt
            """) { source, architectures.List, output, kernel, prebuilt, sources.Folder };
        compilation.AddTo(command);
        command.SetAction(result =>
        {
            CudaRuntimeCompiler compiler = CudaRuntimeCompiler.Load();
            string? name = result.GetValue(source);
            if (result.GetValue(prebuilt))
            {
                return result.GetValue(architectures.List) is null && result.GetValue(sources.Folder) is null && name is null && result.GetValue(kernel) is null
                    ? RefreshPrebuilt(result.GetValue(output) ?? ProjectFiles.Find(PrebuiltFolder), compiler)
                    : throw new SprintException("--prebuilt is PTX of compute_80 of all the checkout's own sources: leave out SOURCE, --arch, --kernel and --sources");
            }

            int[] chosen = architectures.Read(result, compiler);
            if (name is not null && File.Exists(name))
            {
                sources.Refuse(result, name);
                return BuildFile(
                    CudaFile.Read(name), result.GetValue(kernel), compilation.Read(result), chosen, compiler, result.GetValue(output) ?? throw new SprintException($"--out must name the folder for the cubins of {name}"));
            }

            compilation.Refuse(result);
            return result.GetValue(kernel) is { } template
                ? throw new SprintException($"--kernel {template} is for a file of your own: name it, or leave it out")
                : Run(sources.Open(result), Choose(name), chosen, result.GetValue(output));
        });
        return command;
    }

    private static int BuildFile(CudaFile file, string? kernel, CudaCompilerOptions options, int[] architectures, CudaRuntimeCompiler compiler, string output)
    {
        CreateFolder(output);
        CompiledProgram[] programs = ManyCompilations.Run(architectures.Length, i =>
        {
            CudaCompilerOptions target = options with { Target = CudaTarget.Cubin(architectures[i]) };
            return kernel is null ? file.Compile(target, () => compiler) : file.Compile(kernel, target, () => compiler).Program!;
        });
        if (CudaFile.EntryPointsOf(programs[0]).Count == 0)
        {
            throw new SprintException($"{file.Path} has no kernel: declare one __global__, and instantiate it where it is a template, in the file or with --kernel \"scale<float>\"");
        }

        foreach (CompiledProgram program in programs)
        {
            string path = Path.Combine(output, $"{Path.GetFileNameWithoutExtension(file.Path)}-{program.Target.Name}.cubin");
            AtomicFile.Write(path, stream => stream.Write(program.Image.Span));
            Console.WriteLine($"{path}: {string.Join("; ", CudaFile.EntryPointsOf(program).Select(static entryPoint => KernelName.Parse(entryPoint).Signature))}");
        }

        return ExitCode.Success;
    }

    private static KernelSpecialization[] Choose(string? source)
    {
        KernelSpecialization[] chosen = [.. KernelCatalog.All.Where(specialization => source is null || specialization.Source == source)];
        return chosen.Length > 0
            ? chosen
            : throw new SprintException($"there is no file '{source}', and no source of the engine's of that name: choose one of {string.Join(", ", KernelCatalog.All.Select(static specialization => specialization.Source).Distinct())}");
    }

    private static int Run(KernelLibrary library, KernelSpecialization[] chosen, int[] architectures, string? output)
    {
        (KernelSpecialization Specialization, CudaTarget Target)[] wanted =
            [.. chosen.SelectMany(specialization => architectures.Select(architecture => (specialization, CudaTarget.Cubin(architecture))))];
        KernelImage[] images = ManyCompilations.Run(wanted.Length, i => library.Get(wanted[i].Specialization, wanted[i].Target));
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
            throw new SprintException($"the images cannot be kept in {library.CacheFolder}: {problem.TrimEnd('.')}; name another folder with SPRINT_CACHE");
        }

        Console.WriteLine($"{images.Length} images are kept in {library.CacheFolder}");
        return ExitCode.Success;
    }

    private static void CreateFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SprintException($"the folder {folder} cannot be created: {failure.Message}", failure);
        }
    }

    private static void Write(string folder, KernelImage[] images)
    {
        CreateFolder(folder);
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
