using Sprint.Engine.Operations;

namespace Sprint.Engine;

/// <summary>
/// What a <see cref="Tensor"/> handle points at. Bodies are recycled by their device: a handle remembers the generation it
/// was made for, so that a handle kept too long is refused instead of reading another tensor's numbers.
/// The elements live while <see cref="DataReferences"/> is positive; the body itself, with its gradient, also while the tape
/// tracks it, because a gradient may flow through a tensor whose values nobody needs any more.
/// </summary>
internal sealed class TensorBody(Device device)
{
    internal Device Device { get; } = device;

    internal Shape Shape { get; set; }

    internal ElementType ElementType { get; set; }

    /// <summary>
    /// What the gradient is stored as: as the elements are, unless it is more exact than they are (parameters' shadows, narrowed inputs).
    /// </summary>
    internal ElementType GradientType { get; set; }

    internal MemoryCategory Category { get; set; }

    /// <summary>Address of the first element, 0 where the device keeps no storage or the elements are freed.</summary>
    internal nint Address { get; set; }

    internal long Bytes { get; set; }

    internal int Generation { get; set; }

    internal int DataReferences { get; set; }

    internal int SlotReferences { get; set; }

    /// <summary>Whether a gradient is wanted: set on trainable parameters and on what is computed from them on a tape.</summary>
    internal bool RequiresGradient { get; set; }

    /// <summary>The gradient; valid where <see cref="HasGradient"/>, and kept between steps for parameters.</summary>
    internal Tensor Gradient { get; set; }

    internal bool HasGradient { get; set; }

    /// <summary>The node of the linear layer whose activation this is the result of, for whoever reads it alone.</summary>
    internal LinearNode? ActivatedBy { get; set; }

    /// <summary>Whether <see cref="Gradient"/> is a buffer of its own that outlives a backward pass (parameters).</summary>
    internal bool GradientIsPersistent { get; set; }
}
