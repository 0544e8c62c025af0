using System.ComponentModel.DataAnnotations;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Model.Configuration;

internal enum SampleSampler
{
    EulerOde,

    [ConfigurationKey("euler-maruyama")]
    Sde,

    [ConfigurationKey(Name = "SiT-XL/2")]
    Large,
}

internal sealed record SampleModel
{
    [Range(1, int.MaxValue)]
    public int HiddenSize { get; init; } = 128;

    [ConfigurationKey("qk_norm", Name = "q_norm")]
    public bool QKNormalisation { get; init; } = true;

    public long? Tokens { get; init; }

    public int TwiceHiddenSize => 2 * HiddenSize;
}

internal sealed record SampleStage
{
    public string Name { get; init; } = "stage";

    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double DropRatio { get; init; } = 0.75;

    [Range(1, int.MaxValue)]
    public int Steps { get; init; } = 1000;

    [ConfigurationKey("lr")]
    [Range(0.0, double.PositiveInfinity, MinimumIsExclusive = true)]
    public float LearningRate { get; init; } = 1e-4f;
}

internal sealed record SampleConfiguration
{
    public string? Note { get; init; }

    public ulong Seed { get; init; } = 42;

    public SampleModel Model { get; init; } = new() { HiddenSize = 256 };

    public SampleModel? Teacher { get; init; }

    public SampleSampler Sampler { get; init; }

    [MinLength(1)]
    public IReadOnlyList<SampleStage> Stages { get; init; } = [new SampleStage { Name = "sparse" }, new SampleStage { Name = "dense", DropRatio = 0 }];

    [Range(0.0, 1.0)]
    public double[] Betas { get; init; } = [0.9, 0.999];

    public List<string> Tags { get; init; } = [];
}
