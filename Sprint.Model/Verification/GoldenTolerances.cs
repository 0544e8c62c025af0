namespace Sprint.Model.Verification;

/// <summary>
/// What differences from the reference are allowed. They are about ten times the distance between the reference's own float32
/// and float64 runs (<c>noise_floor.json</c>).
/// </summary>
public static class GoldenTolerances
{
    /// <summary>Outputs, activations and losses: largest absolute difference.</summary>
    public const double Output = 2e-5;

    /// <summary>Gradients: largest difference over the tensor's largest entry.</summary>
    public const double Gradient = 5e-5;

    /// <summary>Parameters after three steps: what <see cref="ParameterFraction"/> of them must keep.</summary>
    public const double Parameter = 2e-6;

    /// <summary>The fraction of parameters that must be within <see cref="Parameter"/>.</summary>
    public const double ParameterFraction = 0.999;

    /// <summary>Parameters after three steps: what all must keep. Adam divides by tiny second moments.</summary>
    public const double ParameterLargest = 2e-4;

    /// <summary>Latents of a sampler.</summary>
    public const double Latent = 2e-5;
}
