namespace Sprint.Engine;

/// <summary>A named tensor that is learned: float32 values, and the gradient that backward passes gather.</summary>
public sealed class Parameter : IDisposable
{
    /// <summary>Creates a parameter with undefined values.</summary>
    /// <param name="device">Where it lives.</param>
    /// <param name="name">Its name in checkpoints, e.g. <c>middle_blocks.7.attn.qkv.weight</c>.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="trainable">Whether it is learned; a frozen parameter gets no gradient and no update.</param>
    public Parameter(Device device, string name, Shape shape, bool trainable = true)
    {
        ArgumentNullException.ThrowIfNull(device);
        Name = name;
        Value = device.Allocate(shape, ElementType.Float32, MemoryCategory.Parameter);
        Value.Body.RequiresGradient = trainable;
    }

    /// <summary>The name in checkpoints.</summary>
    public string Name { get; }

    /// <summary>The values.</summary>
    public Tensor Value { get; }

    /// <summary>Whether the parameter is learned.</summary>
    public bool Trainable => Value.RequiresGradient;

    /// <summary>Whether a gradient has been gathered since the last <see cref="ForgetGradient"/>.</summary>
    public bool HasGradient => Value.Body.HasGradient;

    /// <summary>
    /// The gathered gradient, of the shape of <see cref="Value"/>; zeros if no backward pass has reached the parameter.
    /// </summary>
    /// <exception cref="InvalidOperationException">The parameter is frozen.</exception>
    public Tensor Gradient
    {
        get
        {
            if (!Trainable)
            {
                throw new InvalidOperationException($"parameter {Name} is frozen and has no gradient");
            }

            GradientSlot slot = Tape.Slot(Value);
            Tensor gradient = slot.ZeroedBuffer();
            slot.Release();
            return gradient;
        }
    }

    /// <summary>Makes the next backward pass start anew instead of adding to what was gathered.</summary>
    public void ForgetGradient() => Value.Body.HasGradient = false;

    /// <inheritdoc/>
    public void Dispose() => Value.Dispose();
}
