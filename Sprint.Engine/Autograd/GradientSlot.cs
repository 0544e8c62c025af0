using Sprint.Engine.Operations;

namespace Sprint.Engine;

/// <summary>
/// The place where a tensor's gradient is gathered. A slot outlives the tensor's values: a residual stream's gradient flows
/// through tensors whose numbers nobody needs any more. Operations hold slots in their <see cref="TapeNode"/>.
/// </summary>
public readonly struct GradientSlot : IEquatable<GradientSlot>
{
    private readonly TensorBody? body;

    internal GradientSlot(TensorBody body)
    {
        this.body = body;
        body.SlotReferences++;
    }

    /// <summary>Whether a gradient is to be computed here.</summary>
    public bool IsWanted => body is { RequiresGradient: true };

    /// <summary>Whether a gradient has arrived.</summary>
    public bool HasGradient => body is { HasGradient: true };

    /// <summary>The gradient that has arrived, with the shape of the tensor.</summary>
    /// <exception cref="InvalidOperationException">None has.</exception>
    public Tensor Gradient => HasGradient ? body!.Gradient : throw new InvalidOperationException("no gradient has arrived here");

    /// <summary>
    /// The linear layer whose activation's result is here, if the operation that holds this slot is the only one that contributes to the gradient:
    /// nothing has arrived, and beside it only the layer itself holds the slot. Such an operation may put the gradient of the activation's argument
    /// here instead and tell the layer so.
    /// </summary>
    internal LinearNode? OnlyReaderOf => body is { ActivatedBy: { } producer, HasGradient: false, SlotReferences: 2 } ? producer : null;

    /// <summary>Whether two slots are those of one tensor.</summary>
    public static bool operator ==(GradientSlot left, GradientSlot right) => left.Equals(right);

    /// <summary>Whether two slots are those of different tensors.</summary>
    public static bool operator !=(GradientSlot left, GradientSlot right) => !left.Equals(right);

    /// <summary>The buffer into which an operation writes its contribution.</summary>
    /// <param name="type">What the operation writes.</param>
    /// <param name="accumulate">True: add to what the buffer holds; false: it is undefined, overwrite all of it.</param>
    /// <returns>A tensor of the slot's shape, owned by the slot.</returns>
    /// <exception cref="InvalidOperationException">The gradient is stored as something else.</exception>
    public Tensor Buffer(ElementType type, out bool accumulate)
    {
        RequireType(type);
        return Buffer(out accumulate);
    }

    /// <summary>The buffer into which an operation writes its contribution, of whichever element type it has.</summary>
    /// <param name="accumulate">True: add to what the buffer holds; false: it is undefined, overwrite all of it.</param>
    /// <returns>A tensor of the slot's shape, owned by the slot: float32, or as the tensor is where that is bfloat16.</returns>
    public Tensor Buffer(out bool accumulate)
    {
        TensorBody owner = body ?? throw new InvalidOperationException("an empty slot has no buffer");
        accumulate = owner.HasGradient;
        if (!owner.HasGradient)
        {
            if (!owner.GradientIsPersistent)
            {
                bool parameter = owner.Category == MemoryCategory.Parameter;
                owner.Gradient = owner.Device.Allocate(
                    owner.Shape, owner.GradientType, parameter ? MemoryCategory.Gradient : MemoryCategory.Activation);
                owner.GradientIsPersistent = parameter;
            }

            owner.HasGradient = true;
        }
        else if (!owner.GradientIsPersistent && owner.Gradient.Body.DataReferences > 1)
        {
            // Someone else holds the very same gradient: what is added here must not reach it. A parameter's gradient was
            // never handed on: who holds it wants to see it grow, and the optimizer relies on its address.
            using Tensor copy = owner.Device.Allocate(owner.Shape, owner.GradientType);
            owner.Device.Copy(owner.Gradient, copy);
            owner.Gradient.Dispose();
            owner.Gradient = copy.Retain();
        }

        return owner.Gradient;
    }

    /// <summary>The buffer, set to zero if no contribution came before: for operations that write only a part of it.</summary>
    /// <param name="type">What the operation writes.</param>
    /// <returns>A tensor of the slot's shape, owned by the slot, to add to.</returns>
    /// <exception cref="InvalidOperationException">The gradient is stored as something else.</exception>
    public Tensor ZeroedBuffer(ElementType type)
    {
        RequireType(type);
        return ZeroedBuffer();
    }

    /// <summary>The buffer, of whichever element type it has, set to zero if no contribution came before.</summary>
    /// <returns>A tensor of the slot's shape, owned by the slot, to add to.</returns>
    public Tensor ZeroedBuffer()
    {
        Tensor buffer = Buffer(out bool accumulate);
        if (!accumulate)
        {
            buffer.Device.Clear(buffer);
        }

        return buffer;
    }

    /// <summary>Contributes a tensor that already is the gradient, without a copy where it is the first and of the element type in which it is kept.</summary>
    /// <param name="gradient">A tensor of the slot's shape, bfloat16 also where the gradient is kept in float32; the caller keeps its own handle.</param>
    /// <exception cref="InvalidOperationException">The gradient is kept in bfloat16 and this one is float32.</exception>
    public void Pass(Tensor gradient)
    {
        if (body is { GradientType: ElementType.Float32 } && gradient.ElementType == ElementType.BFloat16)
        {
            Tensor wide = Buffer(out bool adds);
            Narrowing.Widen(gradient, wide, adds);
            return;
        }

        RequireType(gradient.ElementType);
        if (body is { HasGradient: false, GradientIsPersistent: false } owner && owner.Category != MemoryCategory.Parameter)
        {
            owner.Gradient = gradient.Retain();
            owner.HasGradient = true;
            return;
        }

        Tensor buffer = Buffer(out bool accumulate);
        if (accumulate)
        {
            Addition.AddInto(gradient, buffer);
        }
        else
        {
            buffer.Device.Copy(gradient, buffer);
        }
    }

    /// <inheritdoc/>
    public bool Equals(GradientSlot other) => ReferenceEquals(body, other.body);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GradientSlot other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => body is null ? 0 : System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(body);

    /// <summary>Drops the gradient of an intermediate result once it has been used.</summary>
    internal void Clear()
    {
        if (body is { HasGradient: true, GradientIsPersistent: false })
        {
            body.Gradient.Dispose();
            body.Gradient = default;
            body.HasGradient = false;
        }
    }

    internal void Release() => body?.Device.ReleaseSlot(body);

    private void RequireType(ElementType type)
    {
        if (body is not null && body.GradientType != type)
        {
            throw new InvalidOperationException(
                $"the gradient of a tensor of {body.ElementType}{body.Shape} is kept in {body.GradientType}, but an operation that reads it gives {type}: only linear layers, residual fusion and what hands its own gradient on give both");
        }
    }
}
