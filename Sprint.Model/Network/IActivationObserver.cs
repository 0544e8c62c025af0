using Sprint.Engine;

namespace Sprint.Model.Network;

/// <summary>Sees intermediate results of a forward pass, e.g. to compare them with a reference.</summary>
public interface IActivationObserver
{
    /// <summary>Called when a result is there. Read it now; it is not kept.</summary>
    /// <param name="name">The reference's name: <c>x_embed</c>, <c>encoder.0</c>, <c>fused</c> ...</param>
    /// <param name="value">The result.</param>
    void Observe(string name, Tensor value);
}
