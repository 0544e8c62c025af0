using System.CommandLine;
using Spectre.Console;
using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>The command <c>kernels list</c>: sources, specialisations, entry points.</summary>
internal static class KernelsListCommand
{
    internal static Command Create()
    {
        var sources = new SourcesOption();
        var command = new Command(
            "list",
            """
            List the kernel sources with their specialisations and entry points, and which of them are files of your own.
            Examples:
              sprint kernels list
              sprint kernels list --sources my-kernels
            """) { sources.Folder };
        command.SetAction(result => Run(sources.Open(result)));
        return command;
    }

    private static int Run(KernelLibrary library)
    {
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumn("source").AddColumn("from").AddColumn("specialisation").AddColumn("entry points");
        IReadOnlyList<KernelSourceFile> sources = library.Sources;
        foreach (KernelSourceFile source in sources)
        {
            string from = source.OwnPath is null ? "built in" : source.Specializations.Count > 0 ? "overridden" : "your own";
            if (source.Specializations.Count == 0)
            {
                table.AddRow(Markup.Escape(source.Name), from, "", "not used by the engine");
            }

            foreach (KernelSpecialization specialization in source.Specializations)
            {
                table.AddRow(
                    Markup.Escape(source.Name), from, Markup.Escape(string.Join(" ", specialization.Macros)), Markup.Escape(string.Join('\n', specialization.EntryPoints)));
            }
        }

        AnsiConsole.Write(table);

        // Paths stand below the table, where they are not broken into lines.
        foreach (KernelSourceFile source in sources.Where(static source => source.OwnPath is not null))
        {
            Console.WriteLine(source.Specializations.Count > 0 ? $"{source.Name} is overridden by {source.OwnPath}" : $"{source.Name} is your own: {source.OwnPath}");
        }

        foreach ((string name, string path) in sources.SelectMany(static source => source.OwnHeaders).Distinct())
        {
            Console.WriteLine($"{name} is overridden by {path}");
        }

        Console.WriteLine(library.Compiler is { } compiler
            ? $"compiled by NVRTC {compiler.Version} for sm_{string.Join(", sm_", compiler.SupportedArchitectures.Where(static known => known >= KernelLibrary.BaselineArchitecture))}"
            : "NVRTC is not installed: prebuilt PTX is used, which runs on emulated and on any GPU from compute capability 8.0 on");
        Console.WriteLine($"compiled images are kept in {library.CacheFolder}");
        return ExitCode.Success;
    }
}
