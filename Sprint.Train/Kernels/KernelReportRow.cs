using System.Globalization;
using Spectre.Console;
using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>What one kernel needs on one architecture.</summary>
/// <param name="Source">What it was compiled of.</param>
/// <param name="Report">What it needs.</param>
internal sealed record KernelReportRow(string Source, KernelReport Report)
{
    /// <summary>The kernels of a source that was compiled for several architectures, those of one kernel together.</summary>
    internal static KernelReportRow[] Of(string source, IEnumerable<CompiledProgram> programs, int? threads, Func<string, int> shared) =>
        [.. programs.SelectMany(program => KernelReport.Of(program, threads, shared)).OrderBy(static report => report.Kernel.Mangled, StringComparer.Ordinal)
            .Select(report => new KernelReportRow(source, report))];

    /// <summary>Writes a table for people.</summary>
    internal static void WriteTable(IReadOnlyList<KernelReportRow> rows)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("kernel");
        foreach (string column in (string[])["for", "registers", "stack", "spill stores", "spill loads", "shared", "threads", "blocks", "warps", "occupancy"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        string? source = null;
        foreach ((string of, KernelReport report) in rows)
        {
            if (of != source)
            {
                table.AddRow($"[bold]{Markup.Escape(of)}[/]");
                source = of;
            }

            KernelResources kernel = report.Resources;
            table.AddRow(
                "  " + Markup.Escape(report.Kernel.Signature),
                kernel.Architecture,
                Number(kernel.Registers),
                Alarm(kernel.StackBytes),
                Alarm(kernel.SpillStoreBytes),
                Alarm(kernel.SpillLoadBytes),
                Number(kernel.SharedBytes + report.DynamicSharedBytes),
                Number(report.BlockThreads),
                Number(report.Occupancy.Blocks),
                Number(report.Occupancy.Warps),
                report.Occupancy.Fraction.ToString("P0", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
        Console.WriteLine("registers, stack and spills in 32-bit registers and bytes a thread; shared memory, static and dynamic, in bytes a block; blocks and warps resident on a multiprocessor");
    }

    /// <summary>The rows for machines.</summary>
    internal static string Json(IReadOnlyList<KernelReportRow> rows) => JsonText.Write(json =>
    {
        json.WriteStartArray();
        foreach ((string source, KernelReport report) in rows)
        {
            json.WriteStartObject();
            json.WriteString("source", source);
            json.WriteString("kernel", report.Kernel.Mangled);
            json.WriteString("signature", report.Kernel.Signature);
            json.WriteString("architecture", report.Resources.Architecture);
            json.WriteNumber("registers", report.Resources.Registers);
            json.WriteNumber("stack_bytes", report.Resources.StackBytes);
            json.WriteNumber("spill_store_bytes", report.Resources.SpillStoreBytes);
            json.WriteNumber("spill_load_bytes", report.Resources.SpillLoadBytes);
            json.WriteNumber("static_shared_bytes", report.Resources.SharedBytes);
            json.WriteNumber("dynamic_shared_bytes", report.DynamicSharedBytes);
            json.WriteNumber("constant_bytes", report.Resources.ConstantBytes);
            json.WriteNumber("block_threads", report.BlockThreads);
            json.WriteNumber("resident_blocks", report.Occupancy.Blocks);
            json.WriteNumber("resident_warps", report.Occupancy.Warps);
            json.WriteNumber("occupancy", report.Occupancy.Fraction);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // What a hot kernel should not have stands out.
    private static string Alarm(int value) => value == 0 ? "0" : $"[yellow]{Number(value)}[/]";
}
