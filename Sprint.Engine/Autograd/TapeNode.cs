namespace Sprint.Engine;

/// <summary>
/// One recorded operation: what its backward pass needs. An operation derives its own node, lists in it what it saves, and
/// fills it after <see cref="Tape.Record{TNode}"/>. Nodes are reused by the next step, so a warm step allocates none.
/// </summary>
public abstract class TapeNode
{
    /// <summary>The slot of the operation's output: the gradient that arrives.</summary>
    protected internal GradientSlot Output { get; internal set; }

    internal string Part { get; set; } = "";

    /// <summary>Computes the gradients of the inputs from that of the output and contributes them to the inputs' slots.</summary>
    /// <param name="gradient">The gradient of the output.</param>
    protected internal abstract void Backward(Tensor gradient);

    /// <summary>Gives back everything saved: disposes retained tensors and releases slots with <see cref="Tape.Release"/>.</summary>
    protected internal abstract void Release();
}
