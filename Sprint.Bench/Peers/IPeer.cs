using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Peers;

/// <summary>Another library that computes the same, to be measured beside.</summary>
internal interface IPeer
{
    /// <summary>Its name and version.</summary>
    string Name { get; }

    /// <summary>Makes a training step of the same model, checked to compute the same velocity from the same weights.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">Images of a step.</param>
    /// <param name="difference">The largest difference of the velocities over their largest value.</param>
    IPeerStep CreateStep(ModelConfiguration model, int batch, out double difference);

    /// <summary>Makes a product of float32 matrices, A (m, k) with B (n, k) transposed, as a linear layer has it.</summary>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <returns>Computes it once.</returns>
    Action CreateProduct(int m, int n, int k);
}

/// <summary>A peer's training step.</summary>
internal interface IPeerStep : IDisposable
{
    /// <summary>Runs a step: noise, forward, backward, clip, AdamW.</summary>
    /// <param name="pattern">How many tokens are kept; the peer draws them at random.</param>
    void Run(DropPattern pattern);
}
