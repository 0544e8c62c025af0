using System.ComponentModel.DataAnnotations;
using Sprint.Engine.Operations;
using Sprint.Model.Objective;

namespace Sprint.Model.Configuration;

/// <summary>The objective; keys as in the reference's <c>loss</c> section.</summary>
public sealed record LossConfiguration
{
    /// <summary>The path from data to noise: <c>linear</c> or <c>cosine</c>.</summary>
    public FlowPath PathType { get; init; } = FlowPath.Linear;

    /// <summary>How times are drawn: <c>lognormal</c> or <c>uniform</c>.</summary>
    public TimeWeighting Weighting { get; init; } = TimeWeighting.Lognormal;

    /// <summary>Weight of the projection loss beside the denoising loss, where the model's <see cref="ModelConfiguration.RepresentationAlign"/> is set.</summary>
    [ConfigurationKey("proj_coeff")]
    [Range(0.0, 1e6)]
    public double ProjectionWeight { get; init; } = 0.5;
}
