using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Model.Network;

/// <summary>
/// Shift, scale and gate of a block's two branches from SiLU(c): one linear layer, or (<c>adaln_type: lora</c>) two of low rank between them, with nothing
/// in between, plus a term that all blocks share. The last layer is zero in a fresh model. Source: SPRINT.md section 2.
/// </summary>
internal sealed class BlockModulation
{
    /// <summary>Vectors that a block needs.</summary>
    internal const int Chunks = 6;

    private readonly LinearWeights down;
    private readonly LinearWeights last;

    internal BlockModulation(ParameterSet parameters, string name, ModelConfiguration configuration)
    {
        int width = configuration.HiddenSize;
        if (configuration.AdalnLoraRank is { } rank)
        {
            down = parameters.Layer($"{name}.1", rank, width);
            last = new(parameters.Zeros($"{name}.2.weight", Chunks * width, rank), parameters.Zeros($"{name}.2.bias", Chunks * width));
        }
        else
        {
            last = new(parameters.Zeros($"{name}.1.weight", Chunks * width, width), parameters.Zeros($"{name}.1.bias", Chunks * width));
        }
    }

    /// <summary>Computes the six vectors.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="conditioning">SiLU(c), and the shared term where the layers are of low rank.</param>
    /// <returns>(batch, 6 * width), which the caller disposes.</returns>
    /// <exception cref="ArgumentException">The shared term is missing, or is given where there is none.</exception>
    internal Tensor Apply(Tape? tape, in BlockConditioning conditioning)
    {
        if (down.Weight.IsEmpty != conditioning.SharedModulation.IsEmpty)
        {
            throw new ArgumentException(
                $"modulation: {(down.Weight.IsEmpty ? "a layer of full rank has no shared term" : "layers of low rank need the shared term")}", nameof(conditioning));
        }

        if (down.Weight.IsEmpty)
        {
            return Linear.Apply(tape, conditioning.Activated, last.Weight, last.Bias);
        }

        using Tensor low = Linear.Apply(tape, conditioning.Activated, down.Weight, down.Bias);
        using Tensor own = Linear.Apply(tape, low, last.Weight, last.Bias);
        return Addition.Apply(tape, own, conditioning.SharedModulation);
    }
}

/// <summary>What conditions the blocks of a pass.</summary>
/// <param name="Activated">SiLU(c) (batch, width).</param>
/// <param name="SharedModulation">
/// (batch, 6 * width): what <c>adaln_type: lora</c> adds to the modulation of every block; else empty.
/// </param>
public readonly record struct BlockConditioning(Tensor Activated, Tensor SharedModulation = default) : IDisposable
{
    /// <summary>Disposes both.</summary>
    public void Dispose()
    {
        Activated.Dispose();
        SharedModulation.Dispose();
    }
}
