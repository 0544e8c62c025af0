using System.ComponentModel.DataAnnotations;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Model.Configuration;

/// <summary>How a stage chooses the tokens it keeps.</summary>
public enum MaskType
{
    /// <summary>The same number in every group of the grid.</summary>
    [ConfigurationKey("structured_with_random_offset")]
    Structured,

    /// <summary>Anywhere in the grid.</summary>
    Random,
}

/// <summary>How the learning rate moves after the warm-up.</summary>
public enum LearningRateDecay
{
    /// <summary>It stays.</summary>
    None,

    /// <summary>It falls as a half cosine, to a tenth at the end of the stage.</summary>
    Cosine,
}

/// <summary>One stage of training; keys of the reference's <c>optimization</c> and <c>mask_config</c> sections are understood.</summary>
public sealed record StageConfiguration
{
    /// <summary>The stage's name in progress, metrics and pictures.</summary>
    public string Name { get; init; } = "";

    /// <summary>Optimizer steps.</summary>
    [ConfigurationKey("max_train_steps")]
    [Range(1, 1_000_000_000)]
    public int Steps { get; init; } = 1000;

    /// <summary>Images in a step.</summary>
    [Range(1, 1_000_000)]
    public int BatchSize { get; init; } = 64;

    /// <summary>Micro-batches that a step is made of; divides <see cref="BatchSize"/>.</summary>
    [Range(1, 1_000_000)]
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>Ratio of tokens that the middle blocks do not see.</summary>
    [ConfigurationKey("mask_ratio")]
    [Range(0.0, 0.999999)]
    public double DropRatio { get; init; }

    /// <summary>How kept tokens are chosen.</summary>
    public MaskType MaskType { get; init; } = MaskType.Structured;

    /// <summary>Learning rate after the warm-up.</summary>
    [Range(0.0, 10.0)]
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Steps in which the learning rate rises linearly from 1%.</summary>
    [Range(0, 1_000_000_000)]
    public int WarmupSteps { get; init; }

    /// <summary>How the learning rate moves after the warm-up.</summary>
    public LearningRateDecay LearningRateDecay { get; init; }

    /// <summary>Decay of the moving average of the parameters.</summary>
    [Range(0.0, 1.0)]
    public double EmaDecay { get; init; } = 0.9999;

    /// <summary>Another decay during the warm-up steps, or null for the same.</summary>
    [Range(0.0, 1.0)]
    public double? WarmupEmaDecay { get; init; }

    /// <summary>Whether the decay is at most (1 + s) / (10 + s), s the step of the run, so that the average forgets its start.</summary>
    public bool EmaRampUp { get; init; }

    /// <summary>Whether moments start at zero again.</summary>
    public bool ResetOptimizer { get; init; }

    /// <summary>Global norm to which gradients are clipped.</summary>
    [Range(1e-9, 1e9)]
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>Decay of the first moment.</summary>
    [Range(0.0, 0.999999)]
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    [Range(0.0, 0.9999999)]
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    [Range(0.0, 1.0)]
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay.</summary>
    [Range(0.0, 100.0)]
    public double AdamWeightDecay { get; init; }

    /// <summary>Images of a micro-batch.</summary>
    public int MicroBatchSize => BatchSize / GradientAccumulationSteps;

    /// <summary>The pattern of kept tokens for a model.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="SprintException">The ratio cannot be had on the model's grid.</exception>
    public DropPattern Pattern(ModelConfiguration model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return MaskType == MaskType.Structured
            ? DropPattern.Structured(model.GridSide, model.GridSide, DropRatio)
            : DropPattern.Random(model.GridSide, model.GridSide, DropRatio);
    }

    /// <summary>The numbers of one update.</summary>
    /// <param name="stageStep">The step of the stage, from 0.</param>
    /// <param name="runStep">The step of the run, from 0.</param>
    /// <param name="optimizerStep">Updates since the moments were zero, from 0.</param>
    public AdamWSettings Update(long stageStep, long runStep, long optimizerStep)
    {
        bool warmsUp = stageStep < WarmupSteps;
        double decay = warmsUp && WarmupEmaDecay is { } early ? early : EmaDecay;
        if (EmaRampUp)
        {
            decay = Math.Min(decay, (1.0 + runStep) / (10 + runStep));
        }

        return new AdamWSettings(
            LearningRate * RateFactor(stageStep), optimizerStep + 1, AdamBeta1, AdamBeta2, AdamEpsilon, AdamWeightDecay, MaxGradNorm, decay);
    }

    private double RateFactor(long stageStep)
    {
        const double Start = 0.01;
        const double End = 0.1;
        if (stageStep < WarmupSteps)
        {
            return Start + ((1 - Start) * stageStep / WarmupSteps);
        }

        if (LearningRateDecay == LearningRateDecay.None || Steps <= WarmupSteps + 1)
        {
            return 1;
        }

        double done = (double)(stageStep - WarmupSteps) / (Steps - WarmupSteps - 1);
        return End + ((1 - End) * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }
}
