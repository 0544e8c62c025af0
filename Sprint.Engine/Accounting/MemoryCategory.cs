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

    /// <summary>
    /// What a device's kernels need beside the tensors while one operation runs. It depends on how the kernels are written, so
    /// it is no part of the total: peaks of the other categories are the same on every device, <c>dryrun</c> included.
    /// </summary>
    Workspace,
}
