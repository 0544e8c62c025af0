using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Model.Network;
using Sprint.Model.Sampling;

namespace Sprint.Bench.Counting;

/// <summary>The tables of the command <c>flops</c>.</summary>
internal static class FlopsTables
{
    private static readonly (string Name, Func<CountEntry, bool> Has)[] Parts =
    [
        ("encoder", static entry => entry.Part == ModelPart.Encoder),
        ("middle", static entry => entry.Part == ModelPart.Middle),
        ("decoder", static entry => entry.Part == ModelPart.Decoder),
        ("fusion", static entry => entry.Part == ModelPart.Fusion),
        ("outside these", static entry => entry.Part is not (ModelPart.Encoder or ModelPart.Middle or ModelPart.Decoder or ModelPart.Fusion)),
    ];

    private static readonly (string Name, Func<CountEntry, bool> Has)[] Kinds =
    [
        ("attention", static entry => entry.Branch == ModelPart.Attention),
        ("MLP", static entry => entry.Branch == ModelPart.Mlp),
        ("neither", static entry => entry.Branch is not (ModelPart.Attention or ModelPart.Mlp)),
    ];

    /// <summary>Passes, memory and the saving for each ratio.</summary>
    /// <param name="counts">The dense step first.</param>
    public static ResultTable Passes(IReadOnlyList<StepCount> counts) => new(
        $"a training step of {counts[0].Batch} {(counts[0].Batch == 1 ? "image" : "images")}, by drop ratio",
        ["drop", "kept tokens", "forward", "backward", "optimizer", "in all", "of dense", "saved", "peak memory", "of dense"],
        [.. counts.Select(count => (IReadOnlyList<string>)
        [
            Text.Ratio(Drop(count)),
            $"{count.Pattern.KeptTokens} of {count.Pattern.Tokens}",
            Text.Flops(count.Sum(ComputePass.Forward).Flops),
            Text.Flops(count.Sum(ComputePass.Backward).Flops),
            Text.Flops(count.Sum(ComputePass.Optimizer).Flops),
            Text.Flops(count.Flops),
            Text.Percent(count.Flops / counts[0].Flops),
            Text.Percent(1 - (count.Flops / counts[0].Flops)),
            Text.Bytes(count.PeakBytes),
            Text.Percent((double)count.PeakBytes / counts[0].PeakBytes),
        ])],
        "a multiply-add is 2 FLOPs; every operation of the real step is dispatched on dryrun and counted");

    /// <summary>The same step by part, and by kind of work, all passes together.</summary>
    /// <param name="counts">The counts.</param>
    public static ResultTable PartsOf(IReadOnlyList<StepCount> counts) => new(
        "the same step by part of the model and by kind of work, all passes together",
        ["drop", .. Parts.Concat(Kinds).Select(static part => part.Name)],
        [.. counts.Select(count => (IReadOnlyList<string>)
        [
            Text.Ratio(Drop(count)),
            .. ByPart(count).Select(static part => Text.Flops(part.Flops)),
        ])],
        "outside these: embeddings, final layer, objective, optimizer; attention and MLP: the branches of blocks with their norms and gated residuals; neither: modulation and all outside blocks");

    /// <summary>FLOPs of the parts of the model, then of the kinds of work; each sums to the step's.</summary>
    /// <param name="count">The count.</param>
    public static IEnumerable<(string Name, double Flops)> ByPart(StepCount count) => Parts.Concat(Kinds).Select(part => (part.Name, (double)count.Sum(part.Has).Flops));

    /// <summary>What memory is held for.</summary>
    /// <param name="counts">The counts.</param>
    public static ResultTable Memory(IReadOnlyList<StepCount> counts) => new(
        "memory at the peak of a step, by purpose",
        ["drop", "activations", "parameters", "gradients", "optimizer", "in all"],
        [.. counts.Select(count => (IReadOnlyList<string>)
        [
            Text.Ratio(Drop(count)),
            Text.Bytes(count.PeakOf[MemoryCategory.Activation]),
            Text.Bytes(count.PeakOf[MemoryCategory.Parameter]),
            Text.Bytes(count.PeakOf[MemoryCategory.Gradient]),
            Text.Bytes(count.PeakOf[MemoryCategory.Optimizer]),
            Text.Bytes(count.PeakBytes),
        ])],
        "parameters include their moving average; each purpose at its own peak");

    /// <summary>The stages of the schedule.</summary>
    /// <param name="stages">The stages.</param>
    public static ResultTable Schedule(IReadOnlyList<StageCount> stages)
    {
        List<IReadOnlyList<string>> rows = [.. stages.Select((stage, i) => (IReadOnlyList<string>)
        [
            stage.Stage.Name.Length > 0 ? stage.Stage.Name : $"stage {i + 1}",
            Text.Ratio(stage.Stage.DropRatio),
            $"{stage.Stage.Steps}",
            $"{stage.Stage.BatchSize}",
            Text.Flops(stage.Step.Flops),
            Text.Flops(stage.Flops),
            Text.Flops(stage.DenseFlops),
            Text.Percent(1 - (stage.Flops / stage.DenseFlops)),
        ])];
        (double all, double dense) = (stages.Sum(static stage => stage.Flops), stages.Sum(static stage => stage.DenseFlops));
        rows.Add(["all stages", "", $"{stages.Sum(static stage => (long)stage.Stage.Steps)}", "", "", Text.Flops(all), Text.Flops(dense), Text.Percent(1 - (all / dense))]);
        return new ResultTable(
            "the schedule, stage by stage", ["stage", "drop", "steps", "batch", "a step", "in all", "every token kept", "saved"], rows, "forward, backward and optimizer");
    }

    /// <summary>Guidance.</summary>
    /// <param name="counts">No guidance first.</param>
    public static ResultTable Sampling(IReadOnlyList<SamplingCount> counts) => new(
        "sampling one image, by guidance",
        ["guidance", "a guided step", "products alone", "of CFG", $"an image, {counts[0].Settings.Steps} steps", "of CFG", "peak memory"],
        [.. counts.Select(count => (IReadOnlyList<string>)
        [
            NameOf(count.Guidance),
            Text.Flops(count.Step.Flops),
            Text.Flops(count.Step.MatrixFlops),
            Text.Percent((double)count.Step.Flops / Cfg(counts).Step.Flops),
            Text.Flops(count.Image.Flops),
            Text.Percent((double)count.Image.Flops / Cfg(counts).Image.Flops),
            Text.Bytes(count.PeakBytes),
        ])],
        Interval(counts[0].Settings));

    /// <summary>The ratio of tokens really dropped.</summary>
    public static double Drop(StepCount count) => 1 - ((double)count.Pattern.KeptTokens / count.Pattern.Tokens);

    /// <summary>A guidance's name.</summary>
    public static string NameOf(GuidanceKind guidance) => guidance == GuidanceKind.None ? "none" : guidance.ToString().ToUpperInvariant();

    private static SamplingCount Cfg(IReadOnlyList<SamplingCount> counts) => counts.FirstOrDefault(static count => count.Guidance == GuidanceKind.Cfg) ?? counts[0];

    private static string Interval(SamplingSettings settings) => settings is { Low: 0, High: 1 }
        ? $"{settings.Sampler.ToString().ToUpperInvariant()} sampler; guidance acts in every step; sampling runs every token, whatever training dropped"
        : $"{settings.Sampler.ToString().ToUpperInvariant()} sampler; guidance acts where {Text.Ratio(settings.Low)} <= t <= {Text.Ratio(settings.High)}; sampling runs every token, whatever training dropped";
}
