namespace Sprint.Engine.Operations;

/// <summary>
/// Joins the dense and the sparse path: <c>y[n] = f[n] Wf^T + (kept(n) ? g[row(n)] Wg^T : m Wg^T) + b</c>, which is the linear
/// layer over concatenated channels <c>W [g_full ; f] + b</c> with neither the padded g nor the concatenation in memory: the
/// sparse half is a product over kept rows, and for dropped rows one constant vector.
/// Errors: <see cref="ArgumentException"/>. Source: SPRINT.md sections 1 and 7.
/// </summary>
public static class ResidualFusion
{
    private const string Name = "residual fusion";
    private const string DensePath = "the dense path";

    /// <summary>Fuses the two paths.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="inputs">f, g, the row map and the parameters.</param>
    /// <returns>y (batch, tokens, width), which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, in FusionInputs inputs)
    {
        Check(inputs);
        Device device = inputs.Dense.Device;
        using Tensor output = device.Allocate(inputs.Dense.Shape, inputs.Dense.ElementType);
        if (device.Dispatch(FusionCost.Forward(inputs)))
        {
            device.Kernels<IResidualFusionKernels>().Forward(inputs, output);
        }

        if (Tape.Records(tape, inputs.Dense, inputs.Sparse, inputs.MaskToken, inputs.Weight, inputs.Bias))
        {
            var node = tape.Record<FusionNode>(output);
            node.Inputs = Retain(inputs);
            node.DenseSlot = Tape.Slot(inputs.Dense);
            node.SparseSlot = Tape.Slot(inputs.Sparse);
            node.MaskTokenSlot = Tape.Slot(inputs.MaskToken);
            node.WeightSlot = Tape.Slot(inputs.Weight);
            node.BiasSlot = Tape.Slot(inputs.Bias);
        }

        return output.Retain();
    }

    private static void Check(in FusionInputs inputs)
    {
        Require.Numbers(inputs.Dense, Name, DensePath);
        Require.Like(inputs.Sparse, inputs.Dense, Name, "the sparse path", DensePath);
        Require.Like(inputs.MaskToken, inputs.Dense, Name, "the mask token", DensePath);
        Require.Like(inputs.Weight, inputs.Dense, Name, "the weight", DensePath);
        Require.Like(inputs.Bias, inputs.Dense, Name, "the bias", DensePath);
        Require.Integers(inputs.Rows, inputs.Dense.Device, Name, "the row map");
        Require.Rank(inputs.Dense, 3, Name, DensePath);
        int width = inputs.Dense.Shape[2];
        Require.SameShape(inputs.Weight, new Shape(width, 2 * width), Name, "the weight");
        Require.SameShape(inputs.Bias, new Shape(width), Name, "the bias");
        Require.That(inputs.MaskToken.Count == width, Name, $"a mask token of shape {inputs.MaskToken.Shape} does not fit width {width}");
        if (!inputs.Sparse.IsEmpty)
        {
            Require.Rank(inputs.Sparse, 3, Name, "the sparse path");
            Require.Length(inputs.Sparse, 2, width, Name, "the sparse path");
        }

        if (!inputs.Rows.IsEmpty)
        {
            Require.SameShape(inputs.Rows, new Shape(inputs.Dense.Shape[0], inputs.Dense.Shape[1]), Name, "the row map");
        }
        else if (!inputs.Sparse.IsEmpty)
        {
            Require.SameShape(inputs.Sparse, inputs.Dense.Shape, Name, "the sparse path without a row map");
        }
    }

    private static FusionInputs Retain(in FusionInputs inputs)
    {
        inputs.Dense.Retain();
        if (!inputs.Sparse.IsEmpty)
        {
            inputs.Sparse.Retain();
        }

        if (!inputs.Rows.IsEmpty)
        {
            inputs.Rows.Retain();
        }

        inputs.MaskToken.Retain();
        inputs.Weight.Retain();
        inputs.Bias.Retain();
        return inputs;
    }

    /// <summary>Saves f, g, the row map and handles on the parameters.</summary>
    private sealed class FusionNode : TapeNode
    {
        internal FusionInputs Inputs { get; set; }

        internal GradientSlot DenseSlot { get; set; }

        internal GradientSlot SparseSlot { get; set; }

        internal GradientSlot MaskTokenSlot { get; set; }

        internal GradientSlot WeightSlot { get; set; }

        internal GradientSlot BiasSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            (bool accumulateDense, bool accumulateSparse, bool accumulateWeight, bool accumulateBias) = (false, false, false, false);
            Tensor dense = DenseSlot.IsWanted ? DenseSlot.Buffer(out accumulateDense) : default;
            Tensor sparse = SparseSlot.IsWanted ? SparseSlot.Buffer(out accumulateSparse) : default;
            Tensor weight = WeightSlot.IsWanted ? WeightSlot.Buffer(out accumulateWeight) : default;
            Tensor bias = BiasSlot.IsWanted ? BiasSlot.Buffer(out accumulateBias) : default;
            Tensor maskToken = MaskTokenSlot.IsWanted ? MaskTokenSlot.ZeroedBuffer() : default;
            var gradients = new FusionGradients(
                dense, accumulateDense, sparse, accumulateSparse, weight, accumulateWeight, bias, accumulateBias, maskToken);
            Device device = gradient.Device;
            if (device.Dispatch(FusionCost.Backward(Inputs, gradients)))
            {
                device.Kernels<IResidualFusionKernels>().Backward(gradient, Inputs, gradients);
            }
        }

        protected internal override void Release()
        {
            Inputs.Dense.Dispose();
            Inputs.Sparse.Dispose();
            Inputs.Rows.Dispose();
            Inputs.MaskToken.Dispose();
            Inputs.Weight.Dispose();
            Inputs.Bias.Dispose();
            Tape.Release(DenseSlot);
            Tape.Release(SparseSlot);
            Tape.Release(MaskTokenSlot);
            Tape.Release(WeightSlot);
            Tape.Release(BiasSlot);
        }
    }
}
