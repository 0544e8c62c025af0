namespace Sprint.Model.Sampling;

/// <summary>A velocity as a function of state and time: what samplers integrate. A model is one kind, a formula another.</summary>
public interface IVelocityField
{
    /// <summary>Computes the velocity.</summary>
    /// <param name="state">x, all samples one after the other.</param>
    /// <param name="time">t, from 1 for noise to 0 for data.</param>
    /// <param name="velocity">v, of the length of <paramref name="state"/>, overwritten.</param>
    void Velocity(ReadOnlySpan<double> state, double time, Span<double> velocity);
}

/// <summary>Sees each step of a sampler, e.g. to show progress or to compare with a reference.</summary>
public interface ISamplerObserver
{
    /// <summary>Called before a step, with the velocity already computed.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="time">t of the step.</param>
    /// <param name="state">x before the step.</param>
    void Step(int step, double time, ReadOnlySpan<double> state);
}
