using System.CommandLine;
using System.Globalization;
using Sprint.Bench.Charts;
using Sprint.Bench.Results;
using Sprint.Bench.Steps;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Sampling;

namespace Sprint.Bench.Counting;

/// <summary>The command <c>flops</c>: what token dropping saves, counted, for any model, image and drop ratios.</summary>
internal static class FlopsCommand
{
    private const int TheoryPoints = 60;

    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        ModelOptions model = new("XL");
        OutputOptions output = new(hasChart: true);
        Option<int?> batch = Arguments.OptionalNumber("--batch", "Images of a training step; those of the first stage without the option.", 1, 1 << 20);
        Option<string?> schedule = new("--schedule")
        {
            Description = "Stages as DROPxSTEPSxBATCH with commas between; the configuration's, or the paper's 0.75x2000000x256,0x200000x1024, without the option.",
            HelpName = "STAGES",
        };
        Option<int?> steps = Arguments.OptionalNumber("--sampling-steps", "Steps of the sampler; the configuration's, or 250, without the option.", 1, 100_000);
        Option<string?> precision = Arguments.OptionalWord("--precision", "In what the model computes; the configuration's, or fp32, without the option.", "fp32", "bf16");
        Option<string?> measured = new("--measured") { Description = "A file of step --json: its measured saving of time is drawn beside.", HelpName = "FILE" };
        Command command = new(
            "flops",
            """
            Counts what token dropping saves: FLOPs and memory of the real training step and sampler, on dryrun, in milliseconds.
            Examples:
              flops
              flops --model B --image-size 512 --drop 0,0.5,0.75 --batch 64
              flops --model XL --precision bf16
              flops --model configs/fashion.yaml --json
              flops --model XL --chart saving.svg
              flops --model S --schedule 0.75x400000x256,0x40000x256 --csv saving.csv
            """) { batch, schedule, steps, precision, measured };
        model.AddTo(command);
        output.AddTo(command);
        command.SetAction(result =>
        {
            output.Check(result);
            TrainingConfiguration configuration = model.Read(result);
            if (result.GetValue(schedule) is { } stages)
                configuration = configuration with { Stages = ReadSchedule(stages) };
            if (result.GetValue(precision) is { } name)
                configuration = configuration with { Precision = name == "bf16" ? Precision.Bf16 : Precision.Fp32 };
            if (result.GetValue(steps) is { } count)
                configuration = configuration with { Samples = configuration.Samples with { Steps = count } };
            BenchResults results = Count(configuration, result.GetValue(model.Drop)!, result.GetValue(batch));
            if (result.GetValue(measured) is { } file)
                results = results with { Charts = [WithMeasured(results.Charts[0], BenchResults.Read(file), file)] };
            output.Write(results, result);
            return 0;
        });
        return command;
    }

    /// <summary>Counts a run.</summary>
    /// <param name="configuration">The model, its stages and how it is sampled.</param>
    /// <param name="ratios">Drop ratios in ascending order.</param>
    /// <param name="batch">Images of a step; null for those of the first stage.</param>
    /// <exception cref="SprintException">A ratio keeps no token of the grid.</exception>
    public static BenchResults Count(TrainingConfiguration configuration, IReadOnlyList<double> ratios, int? batch)
    {
        ModelConfiguration model = configuration.Model;
        int images = batch ?? configuration.Stages[0].MicroBatchSize;
        StepCount[] counts = [.. ratios.Prepend(0).Distinct().Select(ratio => StepCount.Of(model, configuration.Loss, ModelOptions.Pattern(model, ratio), images, configuration.Precision))];
        IReadOnlyList<StageCount> stages = StageCount.Of(configuration);
        SamplesConfiguration samples = configuration.Samples;
        SamplingSettings settings = new(samples.Sampler, samples.Steps, samples.GuidanceLow, samples.GuidanceHigh);
        SamplingCount[] sampling = [.. Enum.GetValues<GuidanceKind>().Where(kind => kind == GuidanceKind.None || model.HasNullClass)
            .Select(kind => SamplingCount.Of(model, kind, settings, configuration.Precision))];
        return new BenchResults
        {
            Command = "flops",
            Title = "What token dropping saves, counted",
            Subject = $"{Describe(model, counts[0].Parameters)}, {configuration.Precision.Name()}",
            Device = "dryrun",
            Measurements = [.. counts.SelectMany(Measurements), .. stages.Select(Measurement), .. sampling.SelectMany(Measurements)],
            Tables = [FlopsTables.Passes(counts), FlopsTables.PartsOf(counts), FlopsTables.Memory(counts), FlopsTables.Schedule(stages), FlopsTables.Sampling(sampling)],
            Charts = [Chart(model, counts)],
        };
    }

    /// <summary>A model in a line.</summary>
    public static string Describe(ModelConfiguration model, long parameters) => string.Create(
        CultureInfo.InvariantCulture,
        $"width {model.HiddenSize}, {model.NumHeads} heads, blocks {model.EncoderDepth}+{model.MiddleDepth}+{model.DecoderDepth}, patch {model.PatchSize}, {model.Tokens} tokens, {parameters / 1e6:F1} million parameters");

    /// <summary>Reads stages.</summary>
    /// <param name="text">DROPxSTEPSxBATCH with commas between.</param>
    /// <exception cref="SprintException">That is not what it is.</exception>
    public static IReadOnlyList<StageConfiguration> ReadSchedule(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(static stage =>
    {
        string[] parts = stage.Split('x');
        return parts.Length == 3
            && double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double drop) && drop is >= 0 and <= Arguments.LargestRatio
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int steps) && steps is >= 1 and <= 1_000_000_000
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out int batch) && batch is >= 1 and <= 1 << 20
            ? new StageConfiguration { DropRatio = drop, Steps = steps, BatchSize = batch }
            : throw new SprintException($"--schedule has the stage '{stage}'; a stage is DROPxSTEPSxBATCH with a drop ratio from 0 to {Arguments.LargestRatio}, e.g. 0.75x2000000x256");
    })];

    private static LineChart Chart(ModelConfiguration model, StepCount[] counts)
    {
        double most = Math.Max(0.05, counts.Max(FlopsTables.Drop));
        return new LineChart(
            "What a training step saves",
            "drop ratio",
            "saved",
            AxisFormat.Percent,
            [
                new ChartSeries("FLOPs of the step, counted", [.. counts.Select(count => new ChartPoint(FlopsTables.Drop(count), 1 - (count.Flops / counts[0].Flops)))]),
                new ChartSeries("theory: products of blocks and padded fusion", [.. Enumerable.Range(0, TheoryPoints + 1).Select(i => i * most / TheoryPoints).Select(ratio => new ChartPoint(ratio, Theory.Saved(model, ratio)))], IsTheory: true),
                new ChartSeries($"peak memory at batch {counts[0].Batch}, counted", [.. counts.Select(count => new ChartPoint(FlopsTables.Drop(count), 1 - ((double)count.PeakBytes / counts[0].PeakBytes)))]),
            ]);
    }

    private static LineChart WithMeasured(LineChart chart, BenchResults measured, string file)
    {
        ChartSeries time = measured.Charts.SelectMany(static found => found.Series).FirstOrDefault(static series => series.Name == StepChart.TimeSaved)
            ?? throw new SprintException($"'{file}' has no measured saving of time: write one with step --json");

        // Width, heads and blocks: all of the subject would not fit beside the line of a legend.
        string model = string.Join(", ", measured.Subject.Split(", ").Take(3));
        return chart with { Series = [.. chart.Series, time with { Name = $"{time.Name} ({model})" }] };
    }

    private static IEnumerable<Measurement> Measurements(StepCount count)
    {
        string name = $"drop {Text.Ratio(FlopsTables.Drop(count))} batch {count.Batch}";
        yield return Results.Measurement.Count($"{name}: forward", "FLOP", count.Sum(ComputePass.Forward).Flops);
        yield return Results.Measurement.Count($"{name}: backward", "FLOP", count.Sum(ComputePass.Backward).Flops);
        yield return Results.Measurement.Count($"{name}: optimizer", "FLOP", count.Sum(ComputePass.Optimizer).Flops);
        foreach ((string part, double flops) in FlopsTables.ByPart(count))
            yield return Results.Measurement.Count($"{name}: {part}", "FLOP", flops);
        yield return Results.Measurement.Count($"{name}: peak memory", "B", count.PeakBytes);
    }

    private static Measurement Measurement(StageCount stage, int index) => Results.Measurement.Count($"stage {index + 1}: in all", "FLOP", stage.Flops);

    private static IEnumerable<Measurement> Measurements(SamplingCount count)
    {
        string name = $"guidance {FlopsTables.NameOf(count.Guidance)}";
        yield return Results.Measurement.Count($"{name}: a step", "FLOP", count.Step.Flops);
        yield return Results.Measurement.Count($"{name}: an image", "FLOP", count.Image.Flops);
        yield return Results.Measurement.Count($"{name}: peak memory", "B", count.PeakBytes);
    }
}
