using System.Globalization;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Sampling;
using Sprint.Model.Training;

namespace Sprint.Train;

/// <summary>Accounts for a run that is not run: every operation of a step is dispatched on <c>dryrun</c> and counted.</summary>
internal static class DryRunReport
{
    internal static int Print(TrainingConfiguration configuration)
    {
        configuration.Validate();
        using (var device = new DryRunDevice())
        using (var model = new SprintTransformer(device, configuration.Model))
        {
            ModelConfiguration network = configuration.Model;
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"model: width {network.HiddenSize}, {network.NumHeads} heads, blocks {network.EncoderDepth}+{network.MiddleDepth}+{network.DecoderDepth}, {network.Tokens} tokens, {model.Parameters.Count / 1e6:F1} million parameters"));
        }

        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("stage", "steps", "batch", "drop", "TFLOP a step", "dense", "saved", "TFLOP in all", "dense", $"memory, {configuration.Precision.Name()}", "dense", "saved");
        foreach (TableColumn column in table.Columns.Skip(1))
        {
            column.RightAligned();
        }

        (double total, double denseTotal) = (0, 0);
        for (int i = 0; i < configuration.Stages.Count; i++)
        {
            StageConfiguration stage = configuration.Stages[i];
            int side = configuration.Model.GridSide;
            (double flops, long peak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, stage.Pattern(configuration.Model), configuration.Precision);
            (double dense, long densePeak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, DropPattern.None(side, side), configuration.Precision);
            total += flops * stage.Steps;
            denseTotal += dense * stage.Steps;
            table.AddRow(
                Markup.Escape(stage.Name.Length > 0 ? stage.Name : $"stage {i + 1}"),
                stage.Steps.ToString(CultureInfo.InvariantCulture),
                stage.BatchSize.ToString(CultureInfo.InvariantCulture),
                stage.DropRatio.ToString("0.####", CultureInfo.InvariantCulture),
                AccountReport.Tera(flops),
                AccountReport.Tera(dense),
                AccountReport.Saved(flops, dense),
                AccountReport.Tera(flops * stage.Steps),
                AccountReport.Tera(dense * stage.Steps),
                AccountReport.Mebibytes(peak),
                AccountReport.Mebibytes(densePeak),
                AccountReport.Saved(peak, densePeak));
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"all stages: {AccountReport.Tera(total)} TFLOP where dense steps cost {AccountReport.Tera(denseTotal)} ({AccountReport.Saved(total, denseTotal)} saved); nothing was computed");
        PrintSampling(configuration);
        return ExitCode.Success;
    }

    /// <summary>What one step of a sampler costs for one sample, with each kind of guidance.</summary>
    private static void PrintSampling(TrainingConfiguration configuration)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("sampling, one image").AddColumn(new TableColumn("TFLOP a step").RightAligned())
            .AddColumn(new TableColumn($"{configuration.Samples.Steps} steps").RightAligned());
        foreach (GuidanceKind guidance in Enum.GetValues<GuidanceKind>().Where(kind => kind == GuidanceKind.None || configuration.Model.HasNullClass))
        {
            using var device = new DryRunDevice();
            using var model = new SprintTransformer(device, configuration.Model, precision: configuration.Precision);
            var guided = new GuidedModel(model, [0]) { Guidance = guidance, Scale = 2 };
            var state = new double[guided.StateLength];
            guided.Velocity(state, 0.5, new double[state.Length]);
            double flops = device.Account.Total().MatrixFlops;
            table.AddRow(
                guidance == GuidanceKind.None ? "no guidance" : guidance.ToString().ToUpperInvariant(),
                (flops / 1e12).ToString("G4", CultureInfo.InvariantCulture),
                (flops * configuration.Samples.Steps / 1e12).ToString("G4", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
    }
}
