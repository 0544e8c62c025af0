using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Model.Network;

/// <summary>
/// An adaLN-Zero block: <c>x += gate1 Attention(LN(x) (1 + scale1) + shift1)</c>, <c>x += gate2 MLP(LN(x) (1 + scale2) + shift2)</c>,
/// the six vectors from SiLU(c). Source: SPRINT.md section 2.
/// </summary>
public sealed class TransformerBlock : ICheckpointedStretch
{
    private readonly BlockParts parts;
    private readonly RopeTable rope;
    private readonly int heads;
    private readonly bool checkpoints;
    private readonly Tensor qkvWeight;
    private readonly Tensor qkvBias;
    private readonly Tensor queryNorm;
    private readonly Tensor keyNorm;
    private readonly Tensor projectionWeight;
    private readonly Tensor projectionBias;
    private readonly BlockMlp mlp;
    private readonly BlockModulation modulations;

    internal TransformerBlock(ParameterSet parameters, string name, BlockParts parts, ModelConfiguration configuration, RopeTable rope)
    {
        this.parts = parts;
        this.rope = rope;
        heads = configuration.NumHeads;
        checkpoints = configuration.UseCheckpoint;
        (int width, int head) = (configuration.HiddenSize, configuration.HeadSize);
        qkvWeight = parameters.Linear($"{name}.attn.qkv.weight", 3 * width, width);
        qkvBias = parameters.Zeros($"{name}.attn.qkv.bias", 3 * width);
        queryNorm = configuration.QNorm is null ? default : parameters.WideOnes($"{name}.attn.q_norm.weight", head);
        keyNorm = configuration.KNorm is null ? default : parameters.WideOnes($"{name}.attn.k_norm.weight", head);
        projectionWeight = parameters.Linear($"{name}.attn.proj.weight", width, width);
        projectionBias = parameters.Zeros($"{name}.attn.proj.bias", width);
        mlp = new BlockMlp(parameters, $"{name}.mlp", configuration);
        modulations = new BlockModulation(parameters, $"{name}.adaLN_modulation", configuration);
    }

    /// <summary>Applies the block.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x (batch, tokens, width).</param>
    /// <param name="conditioning">SiLU(c) (batch, width), and what the modulation of all blocks shares.</param>
    /// <param name="tokenIds">(batch, tokens) int32: each token's place in the full grid; empty where token i is in place i.</param>
    /// <returns>(batch, tokens, width), which the caller disposes.</returns>
    public Tensor Apply(Tape? tape, Tensor input, in BlockConditioning conditioning, Tensor tokenIds)
    {
        (Tensor activated, Tensor shared) = conditioning;
        return checkpoints && tape is not null
            ? Checkpoint.Run(tape, this, input, activated, shared, tokenIds)
            : ((ICheckpointedStretch)this).Forward(tape, [input, activated, shared, tokenIds]);
    }

    /// <inheritdoc/>
    Tensor ICheckpointedStretch.Forward(Tape? tape, ReadOnlySpan<Tensor> inputs)
    {
        (Tensor x, var conditioning, Tensor tokenIds) = (inputs[0], new BlockConditioning(inputs[1], inputs[2]), inputs[3]);
        Account account = x.Device.Account;
        using Account.Scope scope = account.Enter(account.Pass, parts.Modulation);
        using Tensor modulation = modulations.Apply(tape, conditioning);
        account.Part = parts.Attention;
        using Tensor attended = Attend(tape, x, modulation, tokenIds);
        account.Part = parts.Mlp;
        using Tensor normalised = AdaptiveLayerNorm.Apply(tape, attended, modulation, shiftChunk: 3, scaleChunk: 4);
        return mlp.Apply(tape, attended, normalised, modulation, gateChunk: 5);
    }

    private Tensor Attend(Tape? tape, Tensor x, Tensor modulation, Tensor tokenIds)
    {
        using Tensor normalised = AdaptiveLayerNorm.Apply(tape, x, modulation, shiftChunk: 0, scaleChunk: 1);
        using Tensor qkv = Linear.Apply(tape, normalised, qkvWeight, qkvBias);
        var arguments = new AttentionArguments(heads, queryNorm, keyNorm, rope.Cosines, rope.Sines, tokenIds);
        using Tensor heard = Attention.Apply(tape, qkv, arguments);
        return GatedLinear.Apply(tape, x, heard, projectionWeight, projectionBias, modulation, gateChunk: 2);
    }
}
