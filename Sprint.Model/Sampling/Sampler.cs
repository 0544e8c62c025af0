using Sprint.Engine.Operations;

namespace Sprint.Model.Sampling;

/// <summary>Integrates a velocity from noise (t = 1) to data (t = 0), all state in float64. Source: SPRINT.md section 5.</summary>
public static class Sampler
{
    /// <summary>The time at which the SDE takes its last, noise-free step.</summary>
    public const double LastSdeTime = 0.04;

    /// <summary>Runs a sampler.</summary>
    /// <param name="field">The velocity.</param>
    /// <param name="state">Standard normal noise; becomes the samples.</param>
    /// <param name="kind">ODE or SDE.</param>
    /// <param name="steps">At least 1.</param>
    /// <param name="path">The path that the velocity was trained on.</param>
    /// <param name="noise">Fills a span with standard normal numbers for a step; needed by the SDE.</param>
    /// <param name="observer">Sees each step, or null.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public static void Run(
        IVelocityField field,
        Span<double> state,
        SamplerKind kind,
        int steps,
        FlowPath path,
        SamplerNoise noise,
        ISamplerObserver? observer = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(noise);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        double[] times = Times(kind, steps);
        var velocity = new double[state.Length];
        var draws = new double[kind == SamplerKind.Sde ? state.Length : 0];
        for (int step = 0; step < steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            field.Velocity(state, times[step], velocity);
            observer?.Step(step, times[step], state);
            double change = times[step + 1] - times[step];
            if (kind == SamplerKind.Ode)
            {
                for (int i = 0; i < state.Length; i++)
                {
                    state[i] += change * velocity[i];
                }

                continue;
            }

            bool noisy = step < steps - 1;
            if (noisy)
            {
                noise(step, draws);
            }

            SdeStep(state, velocity, draws, times[step], change, path, noisy);
        }
    }

    /// <summary>The times of a sampler, from 1 to 0.</summary>
    /// <param name="kind">ODE or SDE.</param>
    /// <param name="steps">At least 1.</param>
    /// <returns><paramref name="steps"/> + 1 times.</returns>
    public static double[] Times(SamplerKind kind, int steps)
    {
        var times = new double[steps + 1];
        for (int i = 0; i < steps; i++)
        {
            times[i] = kind == SamplerKind.Ode
                ? 1 - ((double)i / steps)
                : steps == 1 ? 1 : 1 + (i * (LastSdeTime - 1) / (steps - 1));
        }

        return times;
    }

    /// <summary>The score, the gradient of the log density, that belongs to a velocity.</summary>
    /// <param name="velocity">v.</param>
    /// <param name="state">x.</param>
    /// <param name="at">The path's coefficients at t.</param>
    public static double Score(double velocity, double state, in FlowCoefficients at)
    {
        double ratio = at.Alpha / at.AlphaDerivative;
        double variance = (at.Sigma * at.Sigma) - (ratio * at.SigmaDerivative * at.Sigma);
        return ((ratio * velocity) - state) / variance;
    }

    private static void SdeStep(
        Span<double> state, double[] velocity, double[] draws, double time, double change, FlowPath path, bool noisy)
    {
        FlowCoefficients at = FlowCoefficients.At(path, time);
        double diffusion = 2 * time;
        double deviation = Math.Sqrt(diffusion) * Math.Sqrt(Math.Abs(change));
        for (int i = 0; i < state.Length; i++)
        {
            double drift = velocity[i] - (0.5 * diffusion * Score(velocity[i], state[i], at));
            state[i] += (drift * change) + (noisy ? deviation * draws[i] : 0);
        }
    }
}

/// <summary>Fills a span with standard normal numbers for a step of the SDE.</summary>
/// <param name="step">From 0.</param>
/// <param name="values">To overwrite.</param>
public delegate void SamplerNoise(int step, Span<double> values);
