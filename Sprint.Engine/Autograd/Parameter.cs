using Sprint.Engine.Operations;

namespace Sprint.Engine;

/// <summary>
/// A named tensor that is learned: float32 values, and the float32 gradient that backward passes gather. In mixed precision operations read a
/// bfloat16 shadow of the values; the optimizer writes both, and only the values are saved.
/// </summary>
public sealed class Parameter : IDisposable
{
    /// <summary>Creates a parameter with undefined values.</summary>
    /// <param name="device">Where it lives.</param>
    /// <param name="name">Its name in checkpoints, e.g. <c>middle_blocks.7.attn.qkv.weight</c>.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="trainable">Whether it is learned; a frozen parameter gets no gradient and no update.</param>
    /// <param name="operandType">What operations read: float32 for the values themselves, bfloat16 for a shadow.</param>
    public Parameter(Device device, string name, Shape shape, bool trainable = true, ElementType operandType = ElementType.Float32)
    {
        ArgumentNullException.ThrowIfNull(device);
        Name = name;
        Value = device.Allocate(shape, ElementType.Float32, MemoryCategory.Parameter);
        try
        {
            Shadow = operandType == ElementType.Float32 ? default : device.Allocate(shape, operandType, MemoryCategory.Parameter);
        }
        catch
        {
            Value.Dispose();
            throw;
        }

        Operand.Body.RequiresGradient = trainable;
        Operand.Body.GradientType = ElementType.Float32;
    }

    /// <summary>The name in checkpoints.</summary>
    public string Name { get; }

    /// <summary>The values. Who changes them calls <see cref="UpdateShadow"/>.</summary>
    public Tensor Value { get; }

    /// <summary>The values rounded to bfloat16, or empty where operations read the values themselves.</summary>
    public Tensor Shadow { get; }

    /// <summary>What operations read: <see cref="Shadow"/> where there is one, else <see cref="Value"/>.</summary>
    public Tensor Operand => Shadow.IsEmpty ? Value : Shadow;

    /// <summary>Whether the parameter is learned.</summary>
    public bool Trainable => Operand.RequiresGradient;

    /// <summary>Whether a gradient has been gathered since the last <see cref="ForgetGradient"/>.</summary>
    public bool HasGradient => Operand.Body.HasGradient;

    /// <summary>
    /// The gathered gradient in float32, of the shape of <see cref="Value"/>; zeros if no backward pass has reached the parameter.
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

            GradientSlot slot = Tape.Slot(Operand);
            Tensor gradient = slot.ZeroedBuffer();
            slot.Release();
            return gradient;
        }
    }

    /// <summary>Makes the next backward pass start anew instead of adding to what was gathered.</summary>
    public void ForgetGradient() => Operand.Body.HasGradient = false;

    /// <summary>Rounds the values anew after they were changed by anything but the optimizer.</summary>
    public void UpdateShadow()
    {
        if (!Shadow.IsEmpty)
        {
            Narrowing.Narrow(Value, Shadow);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Value.Dispose();
        Shadow.Dispose();
    }
}
