using Sprint.Engine.Operations;

namespace Sprint.Engine.Cpu;

/// <summary>
/// <see cref="Linear"/> and <see cref="ResidualFusion"/> in low precision as plainly as can be: each result is rounded once it is there, and the
/// activation is an operation of its own on what the product has stored.
/// </summary>
internal sealed unsafe class PlainLinear(CpuDevice device, ILinearKernels inner) : ILinearKernels
{
    public void Forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor preactivation, Tensor output)
    {
        if (output.ElementType == ElementType.Float32 && input.ElementType == ElementType.Float32)
        {
            inner.Forward(input, weight, bias, activation, preactivation, output);
            return;
        }

        using Tensor unkept = activation != Activation.None && preactivation.IsEmpty
            ? device.Allocate(output.Shape, output.ElementType, MemoryCategory.Workspace)
            : default;
        Tensor product = activation == Activation.None ? output : preactivation.IsEmpty ? unkept : preactivation;
        using (Widened x = Widened.Read(device, input), w = Widened.Read(device, weight), b = Widened.Read(device, bias), y = Widened.Write(device, product))
        {
            inner.Forward(x, w, b, Activation.None, default, y);
        }

        if (activation != Activation.None)
        {
            Activate(product, activation, output);
        }
    }

    public void BackwardActivation(Tensor gradient, Activation activation, Tensor preactivation)
    {
        using Widened dy = Widened.Read(device, gradient), argument = Widened.Update(device, preactivation);
        inner.BackwardActivation(dy, activation, argument);
    }

    public void BackwardInput(Tensor gradient, Tensor weight, Tensor inputGradient, bool accumulate)
    {
        using Widened dy = Widened.Read(device, gradient), w = Widened.Read(device, weight), dx = Widened.Contribute(device, inputGradient, accumulate);
        inner.BackwardInput(dy, w, dx, accumulate);
    }

    public void BackwardWeight(
        Tensor gradient, Tensor input, Tensor weightGradient, bool accumulate, Tensor biasGradient = default, bool accumulateBias = false)
    {
        using Widened dy = Widened.Read(device, gradient), x = Widened.Read(device, input);
        using Widened dw = Widened.Contribute(device, weightGradient, accumulate), db = Widened.Contribute(device, biasGradient, accumulateBias);
        inner.BackwardWeight(dy, x, dw, accumulate, db, accumulateBias);
    }

    public void BackwardBias(Tensor gradient, Tensor biasGradient, bool accumulate)
    {
        using Widened dy = Widened.Read(device, gradient), db = Widened.Contribute(device, biasGradient, accumulate);
        inner.BackwardBias(dy, db, accumulate);
    }

    internal static void Activate(Tensor argument, Activation activation, Tensor result)
    {
        for (long i = 0; i < argument.Count; i++)
        {
            double x = BrainFloat.Widen(((ushort*)argument.Address)[i]);
            double y = activation == Activation.Gelu
                ? x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))))
                : x / (1 + Math.Exp(-x));
            ((ushort*)result.Address)[i] = BrainFloat.Narrow((float)y);
        }
    }
}

/// <summary><see cref="ResidualFusion"/> in low precision: each result rounded once it is there.</summary>
internal sealed class PlainResidualFusion(CpuDevice device, IResidualFusionKernels inner) : IResidualFusionKernels
{
    public void Forward(in FusionInputs inputs, Tensor output)
    {
        using Widened f = Widened.Read(device, inputs.Dense), g = Widened.Read(device, inputs.Sparse), m = Widened.Read(device, inputs.MaskToken);
        using Widened w = Widened.Read(device, inputs.Weight), b = Widened.Read(device, inputs.Bias), y = Widened.Write(device, output);
        inner.Forward(new FusionInputs(f, g, inputs.Rows, m, w, b), y);
    }

    public void Backward(Tensor gradient, in FusionInputs inputs, in FusionGradients gradients)
    {
        using Widened dy = Widened.Read(device, gradient), f = Widened.Read(device, inputs.Dense), g = Widened.Read(device, inputs.Sparse);
        using Widened m = Widened.Read(device, inputs.MaskToken), w = Widened.Read(device, inputs.Weight), b = Widened.Read(device, inputs.Bias);
        using Widened df = Widened.Contribute(device, gradients.Dense, gradients.AccumulateDense);
        using Widened dw = Widened.Contribute(device, gradients.Weight, gradients.AccumulateWeight);
        using Widened db = Widened.Contribute(device, gradients.Bias, gradients.AccumulateBias);
        using Widened dm = Widened.Update(device, gradients.MaskToken);

        // A model without middle blocks that drops nothing gives one tensor as both.
        bool same = !gradients.Dense.IsEmpty && gradients.Dense == gradients.Sparse;
        using Widened apart = same ? default : Widened.Contribute(device, gradients.Sparse, gradients.AccumulateSparse);
        var widened = new FusionGradients(
            df, gradients.AccumulateDense, same ? df : apart, gradients.AccumulateSparse, dw, gradients.AccumulateWeight, db, gradients.AccumulateBias, dm);
        inner.Backward(dy, new FusionInputs(f, g, inputs.Rows, m, w, b), widened);
    }
}
