using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Counting;

/// <summary>What a stage costs, and what it would cost with every token kept.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Step">One of its steps, counted.</param>
/// <param name="Dense">The same step with every token kept.</param>
internal sealed record StageCount(StageConfiguration Stage, StepCount Step, StepCount Dense)
{
    /// <summary>FLOPs of all steps.</summary>
    public double Flops => Step.Flops * Stage.Steps;

    /// <summary>FLOPs of all steps, every token kept.</summary>
    public double DenseFlops => Dense.Flops * Stage.Steps;

    /// <summary>Counts the stages of a run.</summary>
    /// <param name="configuration">The run.</param>
    public static IReadOnlyList<StageCount> Of(TrainingConfiguration configuration)
    {
        ModelConfiguration model = configuration.Model;
        DropPattern dense = DropPattern.None(model.GridSide, model.GridSide);
        return [.. configuration.Stages.Select(stage => new StageCount(
            stage,
            StepCount.Of(model, configuration.Loss, ModelOptions.Pattern(model, stage.DropRatio), stage.BatchSize, configuration.Precision),
            StepCount.Of(model, configuration.Loss, dense, stage.BatchSize, configuration.Precision)))];
    }
}
