using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Sprint.Engine;
using Sprint.Model.Data;
using Sprint.Model.Sampling;

namespace Sprint.Model.Configuration;

/// <summary>
/// A whole training run, as its YAML file describes it. Keys have one name of the engine's, in which the resolved configuration of a run
/// is written; names that the reference's files use for the same thing are understood as well.
/// </summary>
public sealed record TrainingConfiguration
{
    /// <summary>Determines every random number of the run.</summary>
    [Range(0L, long.MaxValue)]
    public long Seed { get; init; }

    /// <summary>In what the model computes.</summary>
    public Precision Precision { get; init; } = Precision.Fp32;

    /// <summary>The architecture.</summary>
    [ConfigurationKey("network_config")]
    public ModelConfiguration Model { get; init; } = new();

    /// <summary>What the model learns from.</summary>
    [ConfigurationKey("dataset")]
    public DatasetSettings Data { get; init; } = new();

    /// <summary>The objective.</summary>
    public LossConfiguration Loss { get; init; } = new();

    /// <summary>The stages, one after the other.</summary>
    [MinLength(1)]
    public IReadOnlyList<StageConfiguration> Stages { get; init; } = [new()];

    /// <summary>Whether a step is captured as a CUDA graph and replayed, on a device that can; the bits are the same.</summary>
    public bool CudaGraphs { get; init; } = true;

    /// <summary>Pictures drawn during and after training.</summary>
    public SamplesConfiguration Samples { get; init; } = new();

    /// <summary>What is saved, and when.</summary>
    public CheckpointsConfiguration Checkpoints { get; init; } = new();

    /// <summary>Steps of all stages.</summary>
    public long TotalSteps => Stages.Sum(stage => (long)stage.Steps);

    /// <summary>Checks what no single value shows.</summary>
    /// <exception cref="SprintException">Values do not fit each other.</exception>
    public void Validate()
    {
        Model.Validate();
        if (!Model.HasNullClass && Samples.Guidance != GuidanceKind.None && Samples.Scale != 1)
        {
            throw new SprintException(
                "samples: a model trained without dropped labels (model.class_dropout_prob 0) cannot be guided: set samples.guidance to none");
        }

        Samples.Validate();
        for (int i = 0; i < Stages.Count; i++)
        {
            StageConfiguration stage = Stages[i];
            string name = $"stage {i + 1}";
            try
            {
                _ = stage.Pattern(Model);
            }
            catch (SprintException exception)
            {
                throw new SprintException($"{name}: {exception.Message}", exception);
            }

            if (stage.BatchSize % stage.GradientAccumulationSteps != 0)
            {
                throw new SprintException(
                    $"{name}: gradient_accumulation_steps {stage.GradientAccumulationSteps} does not divide batch_size {stage.BatchSize}");
            }

            long values = stage.BatchSize * (long)Model.InChannels * Model.ContextSize * Model.ContextSize;
            if (values > Array.MaxLength)
            {
                throw new SprintException(
                    $"{name}: batch_size {stage.BatchSize} with images of {Model.InChannels} x {Model.ContextSize} x {Model.ContextSize} is more than one array holds: lower batch_size or model.context_size");
            }
        }
    }
}

/// <summary>Pictures of samples, drawn from the moving average of the parameters.</summary>
public sealed record SamplesConfiguration
{
    /// <summary>Steps between two pictures; 0 for one at the end only.</summary>
    [Range(0, 1_000_000_000)]
    public int Every { get; init; }

    /// <summary>Samples of each class.</summary>
    [Range(1, 1000)]
    public int PerClass { get; init; } = 8;

    /// <summary>At most so many classes, the first ones.</summary>
    [Range(1, 1000)]
    public int Classes { get; init; } = 10;

    /// <summary>How the velocity is integrated.</summary>
    [ConfigurationKey("mode")]
    public SamplerKind Sampler { get; init; } = SamplerKind.Ode;

    /// <summary>Steps of the sampler.</summary>
    [ConfigurationKey("num_steps")]
    [Range(1, 100_000)]
    public int Steps { get; init; } = 50;

    /// <summary>The kind of guidance.</summary>
    public GuidanceKind Guidance { get; init; } = GuidanceKind.Pdg;

    /// <summary>The guidance scale: 1 is none, above it leads away from the unconditional velocity, below it towards that.</summary>
    [ConfigurationKey("cfg_scale")]
    [Range(0.0, 100.0)]
    public double Scale { get; init; } = 1.5;

    /// <summary>The lowest time at which guidance acts.</summary>
    [Range(0.0, 1.0)]
    public double GuidanceLow { get; init; }

    /// <summary>The highest time at which guidance acts.</summary>
    [Range(0.0, 1.0)]
    public double GuidanceHigh { get; init; } = 1;

    /// <summary>The guidance in words: <c>PDG 1.5</c>, or that there is none.</summary>
    public string GuidanceText => Guidance == GuidanceKind.None || Scale == 1
        ? "no guidance"
        : string.Create(CultureInfo.InvariantCulture, $"{Guidance.ToString().ToUpperInvariant()} {Scale:0.###}");

    /// <summary>Checks what no single value shows.</summary>
    /// <exception cref="SprintException">The guidance interval is empty.</exception>
    public void Validate()
    {
        if (GuidanceLow > GuidanceHigh)
        {
            throw new SprintException(string.Create(
                CultureInfo.InvariantCulture, $"samples: guidance_low {GuidanceLow} is above guidance_high {GuidanceHigh}: the interval runs from low to high"));
        }
    }
}

/// <summary>What is saved of a run, and when.</summary>
public sealed record CheckpointsConfiguration
{
    /// <summary>Steps between two checkpoints; the end of a run is always saved.</summary>
    [ConfigurationKey("checkpointing_steps")]
    [Range(1, 1_000_000_000)]
    public int Every { get; init; } = 500;

    /// <summary>How many of the newest checkpoints are kept.</summary>
    [ConfigurationKey("checkpoints_total_limit")]
    [Range(1, 1_000_000)]
    public int Keep { get; init; } = 2;
}
