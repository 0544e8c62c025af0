namespace Sprint.Engine;

/// <summary>Which pass of a training step an operation belongs to.</summary>
public enum ComputePass
{
    /// <summary>The forward pass, sampling and data preparation included.</summary>
    Forward,

    /// <summary>The backward pass, forward work redone for activation checkpoints included.</summary>
    Backward,

    /// <summary>Gradient norm, optimizer and exponential moving average.</summary>
    Optimizer,
}
