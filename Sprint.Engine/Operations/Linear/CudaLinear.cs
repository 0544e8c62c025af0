using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Linear"/> by the kernels of kernels/matrix_product.cu and kernels/linear.cu, or cuBLAS.</summary>
internal sealed class CudaLinear(CudaDevice device, CudaMatrixProduct products) : ILinearKernels
{
    private const int Threads = 256;
    private const int VectorBytes = 16;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.Linear);

    public void Forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor preactivation, Tensor output)
    {
        (int rows, int outputs, int inputs) = Sizes(output, weight);
        MatrixProductArguments arguments = Arguments(MatrixProductForm.Forward, rows, outputs, inputs, input, weight);
        arguments.WriteTo(output, accumulate: false);
        arguments.Bias = MatrixProductArguments.Pointer(bias);
        arguments.Auxiliary = MatrixProductArguments.Pointer(preactivation);
        arguments.Operation = activation switch
        {
            Activation.Gelu => MatrixProductOperation.Gelu,
            Activation.Silu => MatrixProductOperation.Silu,
            _ => MatrixProductOperation.Plain,
        };
        products.Multiply(MatrixProductForm.Forward, input.ElementType, arguments);
    }

    /// <summary>The residual stream, the gate and the branch must be stored as the operands are; cuBLAS has no such epilogue.</summary>
    public bool FusesGate(Tensor input, Tensor weight, Tensor residual)
    {
        (int rows, int outputs, int inputs) = Sizes(input, weight);
        return residual.ElementType == input.ElementType && !(input.ElementType == ElementType.BFloat16 && products.PrefersBlas(rows, outputs, inputs));
    }

    public void ForwardGated(Tensor input, Tensor weight, Tensor bias, Tensor residual, Tensor modulation, int gateChunk, Tensor branch, Tensor output)
    {
        (int rows, int outputs, int inputs) = Sizes(output, weight);
        MatrixProductArguments arguments = Arguments(MatrixProductForm.Forward, rows, outputs, inputs, input, weight);
        arguments.WriteTo(output, accumulate: false);
        arguments.Operation = MatrixProductOperation.GatedResidual;
        arguments.Bias = MatrixProductArguments.Pointer(bias);
        arguments.Auxiliary = MatrixProductArguments.Pointer(branch);
        arguments.Residual = MatrixProductArguments.Pointer(residual);
        arguments.Gate = new DevicePointer((ulong)modulation.Address + ((ulong)gateChunk * (ulong)outputs * (ulong)modulation.ElementType.Size()));
        arguments.GateStride = modulation.Shape[1];
        arguments.Tokens = residual.Shape[1];
        products.Multiply(MatrixProductForm.Forward, input.ElementType, arguments);
    }

    public bool FusesDerivative(Tensor gradient, Tensor weight, Activation activation)
    {
        (int rows, int outputs, int inputs) = Sizes(gradient, weight);
        return !products.PrefersBlas(rows, inputs, outputs) || (activation == Activation.Gelu && gradient.ElementType == ElementType.BFloat16);
    }

    public void BackwardArgument(Tensor gradient, Tensor weight, Activation activation, Tensor argument, Tensor argumentGradient)
    {
        (int rows, int outputs, int inputs) = Sizes(gradient, weight);
        MatrixProductArguments arguments = Arguments(MatrixProductForm.BackwardInput, rows, inputs, outputs, gradient, weight);
        arguments.WriteTo(argumentGradient, accumulate: false);
        arguments.Operation = activation == Activation.Gelu ? MatrixProductOperation.GeluDerivative : MatrixProductOperation.SiluDerivative;
        arguments.Auxiliary = MatrixProductArguments.Pointer(argument);
        products.Multiply(MatrixProductForm.BackwardInput, gradient.ElementType, arguments);
    }

    public void BackwardActivation(Tensor gradient, Activation activation, Tensor preactivation) => kernels.Launch(
        gradient.ElementType,
        "linear_backward_activation",
        CudaKernelFamily.Blocks(gradient.Count, Threads * (VectorBytes / gradient.ElementType.Size())),
        Threads,
        new KernelArguments { gradient, preactivation, gradient.Count, activation == Activation.Gelu ? 1 : 0 });

    public void BackwardInput(Tensor gradient, Tensor weight, Tensor inputGradient, bool accumulate)
    {
        (int rows, int outputs, int inputs) = Sizes(gradient, weight);
        MatrixProductArguments arguments = Arguments(MatrixProductForm.BackwardInput, rows, inputs, outputs, gradient, weight);
        arguments.WriteTo(inputGradient, accumulate);
        products.Multiply(MatrixProductForm.BackwardInput, gradient.ElementType, arguments);
    }

    public void BackwardWeight(
        Tensor gradient, Tensor input, Tensor weightGradient, bool accumulate, Tensor biasGradient = default, bool accumulateBias = false)
    {
        (int rows, int outputs, int inputs) = Sizes(gradient, weightGradient);
        MatrixProductArguments arguments = Arguments(MatrixProductForm.BackwardWeight, outputs, inputs, rows, gradient, input);
        arguments.WriteTo(weightGradient, accumulate);
        products.Multiply(MatrixProductForm.BackwardWeight, gradient.ElementType, arguments);
        if (!biasGradient.IsEmpty)
        {
            BackwardBias(gradient, biasGradient, accumulateBias);
        }
    }

    public void BackwardBias(Tensor gradient, Tensor biasGradient, bool accumulate)
    {
        (long rows, int outputs) = (gradient.Shape.Rows, gradient.Shape.RowLength);
        Dim3 grid = CudaColumnSums.Grid(rows, outputs, gradient.ElementType);
        using Tensor partial = device.Workspace(new Shape(grid.Y, outputs));
        kernels.Launch(gradient.ElementType, "linear_backward_bias", grid, CudaColumnSums.Block, new KernelArguments { gradient, partial, rows, outputs });
        kernels.Launch(
            gradient.ElementType,
            "linear_backward_bias_reduce",
            CudaKernelFamily.Blocks(outputs, CudaColumnSums.ReduceThreads),
            CudaColumnSums.ReduceThreads,
            new KernelArguments { partial, biasGradient, grid.Y, outputs, biasGradient.ElementType == ElementType.Float32 ? 1 : 0, accumulate ? 1 : 0 });
    }

    private static MatrixProductArguments Arguments(MatrixProductForm form, int m, int n, int k, Tensor a, Tensor b)
    {
        MatrixProductArguments arguments = MatrixProductArguments.Dense(form, m, n, k);
        arguments.A = MatrixProductArguments.Pointer(a);
        arguments.B = MatrixProductArguments.Pointer(b);
        return arguments;
    }

    private static (int Rows, int Outputs, int Inputs) Sizes(Tensor rows, Tensor weight) =>
        (MatrixProductArguments.RowsOf(rows), weight.Shape[0], weight.Shape[1]);
}
