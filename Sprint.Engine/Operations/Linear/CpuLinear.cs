using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Linear"/> on the CPU: packed products, bias and activation applied to tiles while they are in cache.</summary>
internal sealed unsafe class CpuLinear(CpuDevice device) : ILinearKernels
{
    public void Forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor preactivation, Tensor output)
    {
        (int rows, int outputs, int inputs) = Sizes(output, weight);
        var a = MatrixOperand.Rows((float*)input.Address, inputs);
        var b = MatrixOperand.Transposed((float*)weight.Address, inputs);
        float* c = (float*)output.Address;
        float* biases = bias.IsEmpty ? null : (float*)bias.Address;
        float* stored = preactivation.IsEmpty ? null : (float*)preactivation.Address;
        switch (activation)
        {
            case Activation.Gelu:
                MatrixProduct.Multiply(
                    device.Pool, a, b, c, outputs, rows, outputs, inputs, accumulate: false, new ActivationEpilogue<GeluActivation>(biases, stored, outputs));
                break;
            case Activation.Silu:
                MatrixProduct.Multiply(
                    device.Pool, a, b, c, outputs, rows, outputs, inputs, accumulate: false, new ActivationEpilogue<SiluActivation>(biases, stored, outputs));
                break;
            default:
                if (biases != null)
                {
                    MatrixProduct.Multiply(device.Pool, a, b, c, outputs, rows, outputs, inputs, accumulate: false, new BiasEpilogue(biases));
                }
                else
                {
                    MatrixProduct.Multiply(device.Pool, a, b, c, outputs, rows, outputs, inputs);
                }

                break;
        }
    }

    public void BackwardActivation(Tensor gradient, Activation activation, Tensor preactivation)
    {
        if (activation == Activation.Gelu)
        {
            Elementwise.Run(device, default(DerivativeFunction<GeluActivation>), gradient, preactivation, preactivation);
        }
        else if (activation == Activation.Silu)
        {
            Elementwise.Run(device, default(DerivativeFunction<SiluActivation>), gradient, preactivation, preactivation);
        }
    }

    public void BackwardInput(Tensor gradient, Tensor weight, Tensor inputGradient, bool accumulate)
    {
        (int rows, int outputs, int inputs) = Sizes(gradient, weight);
        MatrixProduct.Multiply(
            device.Pool,
            MatrixOperand.Rows((float*)gradient.Address, outputs),
            MatrixOperand.Rows((float*)weight.Address, inputs),
            (float*)inputGradient.Address,
            inputs,
            rows,
            inputs,
            outputs,
            accumulate);
    }

    public void BackwardWeight(
        Tensor gradient, Tensor input, Tensor weightGradient, bool accumulate, Tensor biasGradient = default, bool accumulateBias = false)
    {
        (int rows, int outputs, int inputs) = Sizes(gradient, weightGradient);
        float* upstream = (float*)gradient.Address;
        float* x = (float*)input.Address;
        float* target = (float*)weightGradient.Address;
        bool summed = false;
        if (2 * outputs <= inputs)
        {
            // The wider operand is better read once as A than packed as B for few rows.
            using Tensor transposed = device.Workspace(new Shape(inputs, outputs));
            float* product = (float*)transposed.Address;
            MatrixProduct.Multiply(
                device.Pool, MatrixOperand.Transposed(x, inputs), MatrixOperand.Rows(upstream, outputs), product, outputs, inputs, outputs, rows);
            MatrixTransposition.Run(device.Pool, product, inputs, outputs, target, accumulate);
        }
        else
        {
            var sums = biasGradient.IsEmpty ? default : new MatrixRowSums((float*)biasGradient.Address, accumulateBias);
            summed = MatrixProduct.MultiplySummingRows(
                device.Pool, MatrixOperand.Transposed(upstream, outputs), MatrixOperand.Rows(x, inputs), target, outputs, inputs, rows, accumulate, sums);
        }

        if (!biasGradient.IsEmpty && !summed)
        {
            BackwardBias(gradient, biasGradient, accumulateBias);
        }
    }

    public void BackwardBias(Tensor gradient, Tensor biasGradient, bool accumulate) => ColumnSums.Run(
        device, (float*)gradient.Address, gradient.Shape.Rows, gradient.Shape.RowLength, (float*)biasGradient.Address, accumulate);

    private static (int Rows, int Outputs, int Inputs) Sizes(Tensor rows, Tensor weight) =>
        (checked((int)rows.Shape.Rows), weight.Shape[0], weight.Shape[1]);

    /// <summary>The first vector, a gradient, times the activation's derivative at the second.</summary>
    private readonly struct DerivativeFunction<TActivation> : IElementwiseFunction
        where TActivation : struct, IActivation
    {
        public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => first * TActivation.Derivative(second);
    }
}
