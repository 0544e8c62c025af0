namespace Sprint.Engine.Operations;

/// <summary>The path from data (t = 0) to noise (t = 1): <c>x_t = alpha(t) x_0 + sigma(t) noise</c>. Source: SPRINT.md section 4.</summary>
public enum FlowPath
{
    /// <summary>alpha = 1 - t, sigma = t.</summary>
    Linear,

    /// <summary>alpha = cos(pi t / 2), sigma = sin(pi t / 2).</summary>
    Cosine,
}

/// <summary>The coefficients of a path and their derivatives.</summary>
/// <param name="Alpha">Weight of the data.</param>
/// <param name="Sigma">Weight of the noise.</param>
/// <param name="AlphaDerivative">d alpha / dt.</param>
/// <param name="SigmaDerivative">d sigma / dt.</param>
public readonly record struct FlowCoefficients(double Alpha, double Sigma, double AlphaDerivative, double SigmaDerivative)
{
    /// <summary>The coefficients at a time.</summary>
    /// <param name="path">The path.</param>
    /// <param name="time">t from 0 to 1.</param>
    public static FlowCoefficients At(FlowPath path, double time)
    {
        if (path == FlowPath.Linear)
        {
            return new FlowCoefficients(1 - time, time, -1, 1);
        }

        double angle = Math.PI / 2 * time;
        return new FlowCoefficients(Math.Cos(angle), Math.Sin(angle), -Math.PI / 2 * Math.Sin(angle), Math.PI / 2 * Math.Cos(angle));
    }
}
