namespace Sprint.Engine;

/// <summary>What memory is held for; peaks are accounted for each.</summary>
public enum MemoryCategory
{
    /// <summary>Activations, their gradients and inputs: what lives within a step.</summary>
    Activation,

    /// <summary>Parameters, the exponential moving average of them included.</summary>
    Parameter,

    /// <summary>Gradients of parameters.</summary>
    Gradient,

    /// <summary>First and second moments of the optimizer.</summary>
    Optimizer,
}
