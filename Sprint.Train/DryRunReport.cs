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

        StageCost[] stages = [.. configuration.Stages.Select(stage => StageCost.Count(configuration, stage))];
        FlopUnit aStep = FlopUnit.Of(stages.Min(static stage => stage.Flops));
        FlopUnit inAll = FlopUnit.Of(stages.Min(static stage => stage.Flops * stage.Steps));
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("stage", "steps", "batch", "drop", $"{aStep.Name} a step", "dense", "saved", $"{inAll.Name} in all", "dense", $"memory, {configuration.Precision.Name()}", "dense", "saved");
        foreach (TableColumn column in table.Columns.Skip(1))
        {
            column.RightAligned();
        }

        for (int i = 0; i < stages.Length; i++)
        {
            StageConfiguration stage = configuration.Stages[i];
            (_, double flops, double dense, long peak, long densePeak) = stages[i];
            table.AddRow(
                Markup.Escape(stage.Name.Length > 0 ? stage.Name : $"stage {i + 1}"),
                stage.Steps.ToString(CultureInfo.InvariantCulture),
                stage.BatchSize.ToString(CultureInfo.InvariantCulture),
                stage.DropRatio.ToString("0.####", CultureInfo.InvariantCulture),
                aStep.Count(flops),
                aStep.Count(dense),
                AccountReport.Saved(flops, dense),
                inAll.Count(flops * stage.Steps),
                inAll.Count(dense * stage.Steps),
                AccountReport.Mebibytes(peak),
                AccountReport.Mebibytes(densePeak),
                AccountReport.Saved(peak, densePeak));
        }

        AnsiConsole.Write(table);
        (double total, double denseTotal) = (stages.Sum(static stage => stage.Flops * stage.Steps), stages.Sum(static stage => stage.DenseFlops * stage.Steps));
        AnsiConsole.WriteLine($"all stages: {inAll.Count(total)} {inAll.Name} where dense steps cost {inAll.Count(denseTotal)} ({AccountReport.Saved(total, denseTotal)} saved); nothing was computed");
        PrintSampling(configuration);
        return ExitCode.Success;
    }

    /// <summary>What one step of a sampler costs for one sample, with each kind of guidance.</summary>
    private static void PrintSampling(TrainingConfiguration configuration)
    {
        (GuidanceKind Guidance, double Flops)[] steps =
        [
            .. Enum.GetValues<GuidanceKind>()
                .Where(kind => kind == GuidanceKind.None || configuration.Model.HasNullClass)
                .Select(kind => (kind, SamplingFlops(configuration, kind))),
        ];
        FlopUnit unit = FlopUnit.Of(steps.Min(static step => step.Flops));
        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("sampling, one image")
            .AddColumn(new TableColumn($"{unit.Name} a step").RightAligned())
            .AddColumn(new TableColumn($"{configuration.Samples.Steps} steps").RightAligned());
        foreach ((GuidanceKind guidance, double flops) in steps)
        {
            table.AddRow(
                guidance == GuidanceKind.None ? "no guidance" : guidance.ToString().ToUpperInvariant(),
                unit.Count(flops),
                unit.Count(flops * configuration.Samples.Steps));
        }

        AnsiConsole.Write(table);
    }

    private static double SamplingFlops(TrainingConfiguration configuration, GuidanceKind guidance)
    {
        using var device = new DryRunDevice();
        using var model = new SprintTransformer(device, configuration.Model, precision: configuration.Precision);
        var guided = new GuidedModel(model, [0]) { Guidance = guidance, Scale = 2 };
        var state = new double[guided.StateLength];
        guided.Velocity(state, 0.5, new double[state.Length]);
        return device.Account.Total().MatrixFlops;
    }

    /// <summary>What a stage's step costs, with its dropping and with every token kept.</summary>
    private readonly record struct StageCost(int Steps, double Flops, double DenseFlops, long PeakBytes, long DensePeakBytes)
    {
        internal static StageCost Count(TrainingConfiguration configuration, StageConfiguration stage)
        {
            int side = configuration.Model.GridSide;
            (double flops, long peak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, stage.Pattern(configuration.Model), configuration.Precision);
            (double dense, long densePeak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, DropPattern.None(side, side), configuration.Precision);
            return new StageCost(stage.Steps, flops, dense, peak, densePeak);
        }
    }
}
