namespace Sprint.Engine;

/// <summary>
/// Records the operations of a forward pass and runs them backwards. Operations are coarse (a whole attention, a whole linear
/// layer) and write their gradients by hand; saved tensors return to the pool as soon as their operation's backward is done.
/// </summary>
public sealed class Tape : IDisposable
{
    private readonly List<TapeNode> nodes = [];
    private int count;

    /// <summary>The number of operations recorded since the last backward pass.</summary>
    public int Count => count;

    /// <summary>Whether an operation on these inputs must be recorded: there is a tape and some input wants a gradient.</summary>
    /// <param name="tape">The tape, or null in inference.</param>
    /// <param name="inputs">The operation's inputs; empty handles are ignored.</param>
    public static bool Records([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] Tape? tape, params ReadOnlySpan<Tensor> inputs)
    {
        if (tape is null)
        {
            return false;
        }

        foreach (Tensor input in inputs)
        {
            if (!input.IsEmpty && input.RequiresGradient)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The slot of a tensor's gradient, to be given back with <see cref="Release"/>.</summary>
    /// <param name="tensor">The tensor; an empty handle gives an empty slot.</param>
    public static GradientSlot Slot(Tensor tensor) => tensor.IsEmpty ? default : new GradientSlot(tensor.Body);

    /// <summary>Gives a slot back.</summary>
    /// <param name="slot">The slot; empty ones are ignored.</param>
    public static void Release(GradientSlot slot) => slot.Release();

    /// <summary>Asks for the gradient of an input that is no parameter; read it with <see cref="GradientOf"/>.</summary>
    /// <param name="input">The tensor.</param>
    public static void Watch(Tensor input) => input.Body.RequiresGradient = true;

    /// <summary>The gradient gathered for a watched input or a parameter.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <returns>Its gradient, owned by the tensor; empty if none arrived.</returns>
    public static Tensor GradientOf(Tensor tensor) => tensor.Body.HasGradient ? tensor.Body.Gradient : default;

    /// <summary>Records an operation.</summary>
    /// <typeparam name="TNode">What the operation saves.</typeparam>
    /// <param name="output">The operation's result; from now on it wants a gradient.</param>
    /// <returns>A node whose fields the operation must set, all of them.</returns>
    public TNode Record<TNode>(Tensor output)
        where TNode : TapeNode, new()
    {
        // A training step records the same operations as the step before: reuse the node at the same position.
        TNode node;
        if (count < nodes.Count)
        {
            if (nodes[count] is TNode same)
            {
                node = same;
            }
            else
            {
                nodes[count] = node = new TNode();
            }
        }
        else
        {
            nodes.Add(node = new TNode());
        }

        count++;
        output.Body.RequiresGradient = true;
        node.Output = Slot(output);
        node.Part = output.Device.Account.Part;
        return node;
    }

    /// <summary>Runs the recorded operations backwards from a result and forgets them.</summary>
    /// <param name="output">The result to differentiate, recorded on this tape.</param>
    /// <param name="gradient">The gradient of what is minimised for <paramref name="output"/>, of the same shape.</param>
    /// <exception cref="ArgumentException">The gradient has another shape, or the result does not depend on any parameter.</exception>
    public void Backward(Tensor output, Tensor gradient) => Backward([output], [gradient]);

    /// <summary>Runs the recorded operations backwards from several results at once and forgets them: what is minimised is a sum over them.</summary>
    /// <param name="outputs">The results to differentiate, recorded on this tape; at least one.</param>
    /// <param name="gradients">The gradient of what is minimised for each of them, of its shape.</param>
    /// <exception cref="ArgumentException">There are not as many gradients, one has another shape, or a result does not depend on any parameter.</exception>
    public void Backward(ReadOnlySpan<Tensor> outputs, ReadOnlySpan<Tensor> gradients)
    {
        if (outputs.Length != gradients.Length || outputs.IsEmpty)
        {
            throw new ArgumentException($"{gradients.Length} gradients do not fit {outputs.Length} results", nameof(gradients));
        }

        for (int i = 0; i < outputs.Length; i++)
        {
            if (outputs[i].Shape != gradients[i].Shape)
            {
                throw new ArgumentException($"the gradient has shape {gradients[i].Shape}, the result {outputs[i].Shape}", nameof(gradients));
            }

            if (!outputs[i].RequiresGradient)
            {
                throw new ArgumentException("the result does not depend on any tensor that wants a gradient", nameof(outputs));
            }
        }

        Account account = outputs[0].Device.Account;
        using Account.Scope scope = account.Enter(ComputePass.Backward, account.Part);
        try
        {
            for (int i = 0; i < outputs.Length; i++)
            {
                GradientSlot result = Slot(outputs[i]);
                result.Pass(gradients[i]);
                result.Release();
            }

            while (count > 0)
            {
                TapeNode node = nodes[count - 1];
                if (node.Output.HasGradient)
                {
                    account.Part = node.Part;
                    node.Backward(node.Output.Gradient);
                }

                Pop();
            }
        }
        catch
        {
            // What is left would otherwise run behind the next pass and add its old gradients.
            Reset();
            throw;
        }
    }

    /// <summary>Runs the recorded operations backwards from a scalar: its gradient is 1.</summary>
    /// <param name="loss">A tensor of one element, recorded on this tape.</param>
    /// <exception cref="ArgumentException">The result has more than one element.</exception>
    public void Backward(Tensor loss)
    {
        if (loss.Count != 1)
        {
            throw new ArgumentException($"only one number can be minimised, not {loss.Shape}", nameof(loss));
        }

        using Tensor one = loss.Device.Allocate(loss.Shape);
        one.CopyFrom<float>([1f]);
        Backward(loss, one);
    }

    /// <summary>Forgets what was recorded, without a backward pass.</summary>
    public void Reset()
    {
        while (count > 0)
        {
            Pop();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Reset();

    private void Pop()
    {
        TapeNode node = nodes[--count];
        node.Output.Clear();
        node.Release();
        node.Output.Release();
        node.Output = default;
    }
}
