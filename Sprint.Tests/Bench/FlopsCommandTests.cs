using NUnit.Framework;
using Sprint.Bench;
using Sprint.Bench.Counting;
using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Tests.Model.Data;

namespace Sprint.Tests.Bench;

internal sealed class FlopsCommandTests
{
    [Test]
    public void Dropping_more_costs_less_from_16_to_4096_tokens([Values(64, 256, 1024)] int imageSize)
    {
        TrainingConfiguration run = ModelOptions.Configure("S", imageSize);
        StepCount[] counts = [.. new[] { 0, 0.25, 0.5, 0.625, 0.75, 0.875, 0.9375 }
            .Select(ratio => StepCount.Of(run.Model, run.Loss, ModelOptions.Pattern(run.Model, ratio), batch: 1))];

        Assert.That(run.Model.Tokens, Is.EqualTo(imageSize * imageSize / 256));
        Assert.That(counts.Select(count => count.Flops), Is.Ordered.Descending);
        Assert.That(counts.Select(count => count.PeakBytes), Is.Ordered.Descending);
        Assert.That(counts[^1].Pattern.KeptTokens, Is.EqualTo(run.Model.Tokens / 16));
        Assert.That(counts.Select(count => count.Sum(ComputePass.Optimizer).Flops).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public void Parts_and_kinds_each_sum_to_the_whole()
    {
        TrainingConfiguration run = ModelOptions.Configure("B");
        StepCount count = StepCount.Of(run.Model, run.Loss, ModelOptions.Pattern(run.Model, 0.75), batch: 2);
        ResultTable table = FlopsTables.PartsOf([count]);
        Assert.That(table.Columns, Is.EqualTo(new[] { "drop", "encoder", "middle", "decoder", "fusion", "outside these", "attention", "MLP", "neither" }));
        Assert.That(count.Entries.Sum(entry => (double)entry.Total.Flops), Is.EqualTo(count.Flops));
        Assert.That(
            new[] { "", "embedding", "encoder", "middle", "fusion", "decoder", "final" }.Sum(part => (double)count.Sum(entry => entry.Part == part).Flops),
            Is.EqualTo(count.Flops));
        Assert.That(
            new[] { "", "modulation", "attention", "mlp" }.Sum(branch => (double)count.Sum(entry => entry.Branch == branch).Flops), Is.EqualTo(count.Flops));
    }

    [Test]
    public void The_theory_is_within_two_percent_of_the_counted_saving_at_every_published_size([Values("S", "B", "L", "XL")] string size, [Values(0.25, 0.5, 0.75, 0.875)] double ratio)
    {
        TrainingConfiguration run = ModelOptions.Configure(size);
        double dense = StepCount.Of(run.Model, run.Loss, ModelOptions.Pattern(run.Model, 0), batch: 64).Flops;
        double sparse = StepCount.Of(run.Model, run.Loss, ModelOptions.Pattern(run.Model, ratio), batch: 64).Flops;
        Assert.That(1 - (sparse / dense), Is.EqualTo(Theory.Saved(run.Model, ratio)).Within(0.02));
    }

    [Test]
    public void Mixed_precision_has_the_same_products_and_takes_less_memory()
    {
        TrainingConfiguration run = ModelOptions.Configure("S");
        StepCount single = StepCount.Of(run.Model, run.Loss, ModelOptions.Pattern(run.Model, 0.75), batch: 16);
        StepCount mixed = StepCount.Of(run.Model, run.Loss, ModelOptions.Pattern(run.Model, 0.75), batch: 16, Precision.Bf16);
        Assert.That(mixed.Sum().MatrixFlops, Is.EqualTo(single.Sum().MatrixFlops));
        Assert.That(mixed.PeakBytes, Is.LessThan(single.PeakBytes));
        Assert.That(mixed.PeakOf[MemoryCategory.Activation], Is.LessThan(0.6 * single.PeakOf[MemoryCategory.Activation]));
    }

    [Test]
    public void A_schedule_costs_what_its_stages_cost()
    {
        TrainingConfiguration run = ModelOptions.Configure("S") with { Stages = FlopsCommand.ReadSchedule("0.75x1000x8, 0x100x32") };
        IReadOnlyList<StageCount> stages = StageCount.Of(run);
        Assert.That(stages.Select(stage => (stage.Stage.DropRatio, stage.Stage.Steps, stage.Stage.BatchSize)), Is.EqualTo(new[] { (0.75, 1000, 8), (0, 100, 32) }));
        Assert.That(stages[0].Flops, Is.EqualTo(1000 * stages[0].Step.Flops));
        Assert.That(stages[0].DenseFlops, Is.GreaterThan(2 * stages[0].Flops));
        Assert.That(stages[1].DenseFlops, Is.EqualTo(stages[1].Flops));
    }

    [Test]
    public void A_configuration_file_gives_its_own_model_and_stages()
    {
        TrainingConfiguration run = ModelOptions.Configure(RepositoryFolder.Find(Path.Combine("configs", "imagenet256-xl.yaml")));
        TrainingConfiguration named = ModelOptions.Configure("XL");
        Assert.That(run.Model, Is.EqualTo(named.Model));
        Assert.That(
            run.Stages.Select(stage => (stage.Steps, stage.BatchSize, stage.DropRatio)),
            Is.EqualTo(named.Stages.Select(stage => (stage.Steps, stage.BatchSize, stage.DropRatio))));
        Assert.That((run.Samples.Steps, run.Samples.Sampler), Is.EqualTo((named.Samples.Steps, named.Samples.Sampler)));
    }

    [Test]
    public void Results_survive_json_and_name_machine_and_commit()
    {
        BenchResults results = FlopsCommand.Count(ModelOptions.Configure("S"), [0, 0.75], batch: 1);
        BenchResults read = BenchResults.Parse(results.ToJson(), "results.json");
        Assert.That(read.ToJson(), Is.EqualTo(results.ToJson()));
        Assert.That(read.Machine, Is.EqualTo(MachineInformation.Read()));
        Assert.That(read.Machine.Commit, Is.Not.Empty);
        Assert.That(read.Measurements.Single(found => found.Name == "drop 0.75 batch 1: forward").Value, Is.GreaterThan(1e9));
        Assert.That(read.Charts[0].Series.Select(series => series.IsTheory), Is.EqualTo(new[] { false, true, false }));
    }

    [TestCase("{}", "holds no results")]
    [TestCase("[1", "holds no results")]
    [TestCase("null", "holds results of the format ''")]
    public void What_holds_no_results_is_refused_in_one_sentence(string json, string sentence) => Assert.That(
        () => BenchResults.Parse(json, "other.json"),
        Throws.TypeOf<SprintException>().With.Message.Contains("'other.json' " + sentence).And.Message.Not.Contains("\n"));

    [TestCase("measurements", "[null]", "an entry of measurements, notes, tables or charts is null")]
    [TestCase("notes", "[null]", "an entry of measurements, notes, tables or charts is null")]
    [TestCase("tables", """[{"title": "t", "columns": ["a"], "rows": [null]}]""", "a column, row or cell of a table is null")]
    [TestCase("tables", """[{"title": "t", "columns": ["a"], "rows": [[null]]}]""", "a column, row or cell of a table is null")]
    [TestCase("tables", """[{"title": "t", "columns": ["a"], "rows": [["1", "2"]]}]""", "a row of a table is longer than its columns")]
    [TestCase("charts", """[{"title": "t", "x_title": "x", "y_title": "y", "y_format": "number", "series": []}]""", "a chart has no lines")]
    [TestCase("charts", """[{"title": "t", "x_title": "x", "y_title": "y", "y_format": "number", "series": [{"name": "n", "points": []}]}]""", "a chart has no lines")]
    [TestCase("charts", """[{"title": "t", "x_title": "x", "y_title": "y", "y_format": "number", "series": [{"name": "n", "points": [{"x": 0, "y": "NaN"}]}]}]""", "a chart has no lines")]
    public void Damaged_results_are_refused_in_one_sentence(string field, string value, string sentence) => Assert.That(
        () => BenchResults.Parse($$"""{"format": "sprint-bench 1", "command": "flops", "title": "t", "subject": "s", "device": "d", "{{field}}": {{value}}}""", "damaged.json"),
        Throws.TypeOf<SprintException>().With.Message.StartsWith($"'damaged.json' is damaged: {sentence}").And.Message.Not.Contains("\n"));

    [Test]
    public void Json_has_the_parts_and_kinds_that_the_tables_have()
    {
        BenchResults results = FlopsCommand.Count(ModelOptions.Configure("S"), [0, 0.75], batch: 1);
        double whole = Sum("forward", "backward", "optimizer");
        Assert.That(Sum("encoder", "middle", "decoder", "fusion", "outside these"), Is.EqualTo(whole));
        Assert.That(Sum("attention", "MLP", "neither"), Is.EqualTo(whole));

        double Sum(params string[] names) => names.Sum(name => results.Measurements.Single(found => found.Name == $"drop 0.75 batch 1: {name}").Value);
    }

    [Test]
    public void Csv_has_a_line_of_plain_numbers_for_each_figure()
    {
        BenchResults counted = FlopsCommand.Count(ModelOptions.Configure("S"), [0, 0.75], batch: 1);
        Measurement time = Measurement.Of("time, warm", "s", Better.Lower, [0.25, 0.5, 1]);
        string[] lines = (counted with { Measurements = [.. counted.Measurements, time] }).ToCsv().Split("\r\n");
        Assert.That(lines[0], Is.EqualTo("name,value,unit,measured,least,lower quartile,upper quartile,most"));
        Assert.That(lines, Has.Length.EqualTo(counted.Measurements.Count + 3));
        Measurement forward = counted.Measurements.Single(static found => found.Name == "drop 0 batch 1: forward");
        Assert.That(lines, Has.One.EqualTo($"drop 0 batch 1: forward,{(long)forward.Value},FLOP,,,,,"));
        Assert.That(lines[^2], Is.EqualTo("\"time, warm\",0.5,s,3,0.25,0.375,0.75,1"));
    }

    [Test]
    public void Tables_are_comma_separated_with_quotes_where_needed()
    {
        ResultTable table = new("t", ["a", "b,c"], [["1", "say \"x\""], ["2", "plain"]]);
        Assert.That(table.ToCsv(), Is.EqualTo("a,\"b,c\"\r\n1,\"say \"\"x\"\"\"\r\n2,plain\r\n"));
    }

    [TestCase(184_900_000_000_000, "184.9 TFLOP")]
    [TestCase(999_990_000, "1.000 GFLOP")]
    [TestCase(12, "12.00 FLOP")]
    [TestCase(0, "0.000 FLOP")]
    public void Counts_are_written_with_four_digits_and_a_prefix(double value, string text) => Assert.That(Text.Flops(value), Is.EqualTo(text));
}
