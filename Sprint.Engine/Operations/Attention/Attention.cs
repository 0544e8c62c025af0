namespace Sprint.Engine.Operations;

/// <summary>
/// <c>softmax(q k^T / sqrt(headSize)) v</c> for each head, with q and k first normalised (RMS norm over the head's channels,
/// eps 1e-6, learned weight shared by the heads) and turned by 2-D RoPE at the token's id.
/// qkv (batch, tokens, 3 * heads * headSize), output (batch, tokens, heads * headSize), of one element type; norm weights, rotary tables and
/// log-sum-exp are float32 whatever that is. The tokens-by-tokens matrix is never
/// stored: the backward pass recomputes it from the log-sum-exp of each row.
/// Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 2; the recomputation is that of FlashAttention.
/// </summary>
public static class Attention
{
    /// <summary>The constant added to the mean square in the norm of q and k.</summary>
    public const float NormEpsilon = 1e-6f;

    /// <summary>The most channels that a head can have.</summary>
    public const int MaximumHeadSize = 256;

    private const string Name = "attention";

    /// <summary>Attends.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="qkv">(batch, tokens, 3 * heads * headSize).</param>
    /// <param name="arguments">Heads, norm weights, rotary tables and token ids.</param>
    /// <returns>(batch, tokens, heads * headSize), which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor qkv, in AttentionArguments arguments)
    {
        Check(qkv, arguments);
        Device device = qkv.Device;
        (int batch, int tokens, int width) = (qkv.Shape[0], qkv.Shape[1], qkv.Shape[2] / 3);
        bool records = Tape.Records(tape, qkv, arguments.QueryNormWeight, arguments.KeyNormWeight);
        using Tensor output = device.Allocate(new Shape(batch, tokens, width), qkv.ElementType);
        using Tensor logSumExp = device.Allocate(new Shape(batch, arguments.Heads, tokens));
        if (device.Dispatch(AttentionCost.Forward(qkv, output, logSumExp)))
        {
            device.Kernels<IAttentionKernels>().Forward(qkv, arguments, output, logSumExp);
        }

        if (records)
        {
            var node = tape!.Record<AttentionNode>(output);
            node.Arguments = Retain(arguments);
            node.Qkv = qkv.Retain();
            node.Result = output.Retain();
            node.LogSumExp = logSumExp.Retain();
            node.QkvSlot = Tape.Slot(qkv);
            node.QueryNormSlot = Tape.Slot(arguments.QueryNormWeight);
            node.KeyNormSlot = Tape.Slot(arguments.KeyNormWeight);
        }

        return output.Retain();
    }

    private static void Check(Tensor qkv, in AttentionArguments arguments)
    {
        Require.Numbers(qkv, Name, "qkv");
        Require.Floats(arguments.QueryNormWeight, qkv.Device, Name, "the norm weight of q");
        Require.Floats(arguments.KeyNormWeight, qkv.Device, Name, "the norm weight of k");
        Require.Floats(arguments.Cosines, qkv.Device, Name, "the table of cosines");
        Require.Floats(arguments.Sines, qkv.Device, Name, "the table of sines");
        Require.Integers(arguments.TokenIds, qkv.Device, Name, "the token ids");
        Require.Rank(qkv, 3, Name, "qkv");
        int row = qkv.Shape[2];
        Require.That(
            arguments.Heads > 0 && row % (3 * arguments.Heads) == 0, Name, $"rows of {row} elements are not q, k and v of {arguments.Heads} heads");
        int headSize = row / (3 * arguments.Heads);
        Require.That(
            headSize % 4 == 0 && headSize is > 0 and <= MaximumHeadSize, Name, $"the head size must be a multiple of 4 up to {MaximumHeadSize}, not {headSize}");
        CheckNorm(arguments.QueryNormWeight, headSize, "the norm weight of q");
        CheckNorm(arguments.KeyNormWeight, headSize, "the norm weight of k");
        Require.Rank(arguments.Cosines, 2, Name, "the table of cosines");
        Require.Length(arguments.Cosines, 1, headSize / 2, Name, "the table of cosines");
        Require.SameShape(arguments.Sines, arguments.Cosines.Shape, Name, "the table of sines");
        int positions = arguments.Cosines.Shape[0];
        if (arguments.TokenIds.IsEmpty)
        {
            Require.That(qkv.Shape[1] <= positions, Name, $"{qkv.Shape[1]} tokens without ids need as many rows in the rotary table, not {positions}");
        }
        else
        {
            Require.SameShape(arguments.TokenIds, new Shape(qkv.Shape[0], qkv.Shape[1]), Name, "the token ids");
        }
    }

    private static void CheckNorm(Tensor weight, int headSize, string name)
    {
        if (!weight.IsEmpty)
        {
            Require.SameShape(weight, new Shape(headSize), Name, name);
        }
    }

    private static AttentionArguments Retain(in AttentionArguments arguments)
    {
        Retain(arguments.QueryNormWeight);
        Retain(arguments.KeyNormWeight);
        Retain(arguments.Cosines);
        Retain(arguments.Sines);
        Retain(arguments.TokenIds);
        return arguments;
    }

    private static void Retain(Tensor tensor)
    {
        if (!tensor.IsEmpty)
        {
            tensor.Retain();
        }
    }

    /// <summary>Saves qkv, the output, the log-sum-exp and handles on the small tables.</summary>
    private sealed class AttentionNode : TapeNode
    {
        internal AttentionArguments Arguments { get; set; }

        internal Tensor Qkv { get; set; }

        internal Tensor Result { get; set; }

        internal Tensor LogSumExp { get; set; }

        internal GradientSlot QkvSlot { get; set; }

        internal GradientSlot QueryNormSlot { get; set; }

        internal GradientSlot KeyNormSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            Device device = gradient.Device;
            using Tensor qkvGradient = device.Allocate(Qkv.Shape, Qkv.ElementType);
            Tensor queryNormGradient = QueryNormSlot.IsWanted ? QueryNormSlot.ZeroedBuffer(ElementType.Float32) : default;
            Tensor keyNormGradient = KeyNormSlot.IsWanted ? KeyNormSlot.ZeroedBuffer(ElementType.Float32) : default;
            if (device.Dispatch(AttentionCost.Backward(Qkv, Result, LogSumExp)))
            {
                device.Kernels<IAttentionKernels>().Backward(
                    gradient, Qkv, Arguments, Result, LogSumExp, qkvGradient, queryNormGradient, keyNormGradient);
            }

            if (QkvSlot.IsWanted)
            {
                QkvSlot.Pass(qkvGradient);
            }
        }

        protected internal override void Release()
        {
            Arguments.QueryNormWeight.Dispose();
            Arguments.KeyNormWeight.Dispose();
            Arguments.Cosines.Dispose();
            Arguments.Sines.Dispose();
            Arguments.TokenIds.Dispose();
            Qkv.Dispose();
            Result.Dispose();
            LogSumExp.Dispose();
            Tape.Release(QkvSlot);
            Tape.Release(QueryNormSlot);
            Tape.Release(KeyNormSlot);
        }
    }
}
