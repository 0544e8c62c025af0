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
        var json = new Option<bool>("--json") { Description = "Print one JSON object instead of the table." };
        var command = new Command(
            "list",
            """
            List the kernel sources with their specialisations and entry points, and which of them are files of your own.
            Examples:
              sprint kernels list
              sprint kernels list --sources my-kernels
            """) { sources.Folder, json };
        command.SetAction(result => result.GetValue(json) ? WriteJson(sources.Open(result)) : WriteTable(sources.Open(result)));
        return command;
    }

    private static int WriteTable(KernelLibrary library)
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
            Console.WriteLine(source.Specializations.Count > 0 ? $"{source.Name} is overridden by {Shorten(source.OwnPath!)}" : $"{source.Name} is your own: {Shorten(source.OwnPath!)}");
        }

        foreach ((string name, string path) in sources.SelectMany(static source => source.OwnHeaders).Distinct())
        {
            Console.WriteLine($"{name} is overridden by {Shorten(path)}");
        }

        Console.WriteLine(library.Compiler is { } compiler
            ? $"compiled by NVRTC {compiler.Version} for sm_{string.Join(", sm_", compiler.SupportedArchitectures.Where(static known => known >= KernelLibrary.BaselineArchitecture))}"
            : "NVRTC is not installed: prebuilt PTX is used, which runs on emulated and on any GPU from compute capability 8.0 on");
        Console.WriteLine($"compiled images are kept in {library.CacheFolder}");
        return ExitCode.Success;
    }

    private static int WriteJson(KernelLibrary library)
    {
        Console.WriteLine(JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("compiler", library.Compiler?.Version.ToString());
            json.WriteStrings("architectures", library.Compiler?.SupportedArchitectures.Where(static known => known >= KernelLibrary.BaselineArchitecture).Select(static known => $"sm_{known}") ?? []);
            json.WriteString("cache", library.CacheFolder);
            json.WriteStartArray("sources");
            foreach (KernelSourceFile source in library.Sources)
            {
                json.WriteStartObject();
                json.WriteString("name", source.Name);
                json.WriteString("file", source.OwnPath);
                json.WriteStrings("headers", source.OwnHeaders.Select(static header => header.Path));
                json.WriteStartArray("specialisations");
                foreach (KernelSpecialization specialization in source.Specializations)
                {
                    json.WriteStartObject();
                    json.WriteStrings("macros", specialization.Macros.Select(static macro => macro.ToString()));
                    json.WriteStrings("kernels", specialization.EntryPoints);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }));
        return ExitCode.Success;
    }

    // Below the current folder a path is as short as it was given.
    private static string Shorten(string path)
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
