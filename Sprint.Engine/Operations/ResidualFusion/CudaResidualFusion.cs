using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary>
/// <see cref="ResidualFusion"/> by the kernels of kernels/residual_fusion.cu and matrix products. Forward: <c>t = g Wg^T + b</c> over kept
/// rows and the constant <c>m Wg^T + b</c>, both float32, then the dense product whose epilogue adds each row's t or the constant.
/// Backward: one pass over the gradient gathers kept rows, which serve both g and the sparse half of W, and sums all rows for b and the
/// dropped ones, through which alone they act on m and Wg. The row map is on the device and not looked at before the launch: an emulated device refuses a
/// row beyond the last, with its place in the kernel, a GPU reads what lies there. <see cref="TokenDrop.Locate"/> makes none.
/// </summary>
internal sealed class CudaResidualFusion(CudaDevice device, CudaMatrixProduct products) : IResidualFusionKernels
{
    private const int Lanes = 32;
    private const int Rows = 8;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.ResidualFusion);

    public void Forward(in FusionInputs inputs, Tensor output)
    {
        int width = inputs.Dense.Shape[2];
        ElementType element = inputs.Dense.ElementType;
        bool drops = inputs.Sparse.IsEmpty || !inputs.Rows.IsEmpty;
        using Tensor constant = drops ? device.Workspace(new Shape(width)) : default;
        if (drops)
        {
            kernels.Launch(
                element,
                "fusion_constant_forward",
                CudaKernelFamily.Blocks(width, Rows),
                (Lanes, Rows),
                new KernelArguments { inputs.MaskToken, inputs.Weight, inputs.Bias, constant, width });
        }

        using Tensor terms = inputs.Sparse.IsEmpty ? default : device.Workspace(inputs.Sparse.Shape);
        if (!terms.IsEmpty)
        {
            MatrixProductArguments sparse = Arguments(MatrixProductForm.Forward, MatrixProductArguments.RowsOf(inputs.Sparse), width, width, inputs.Sparse, inputs.Weight);
            sparse.StrideB = 2 * width;
            sparse.Bias = MatrixProductArguments.Pointer(inputs.Bias);
            sparse.WriteTo(terms, accumulate: false);
            products.Multiply(MatrixProductForm.Forward, element, sparse);
        }

        MatrixProductArguments dense = Arguments(MatrixProductForm.Forward, MatrixProductArguments.RowsOf(inputs.Dense), width, width, inputs.Dense, inputs.Weight);
        dense.B = DenseHalf(inputs.Weight, width);
        dense.StrideB = 2 * width;
        dense.Operation = MatrixProductOperation.RowTerms;
        dense.Rows = MatrixProductArguments.Pointer(inputs.Rows);
        dense.RowTerms = MatrixProductArguments.Pointer(terms);
        dense.Constant = MatrixProductArguments.Pointer(constant);
        dense.WriteTo(output, accumulate: false);
        products.Multiply(MatrixProductForm.Forward, element, dense);
    }

    public void Backward(Tensor gradient, in FusionInputs inputs, in FusionGradients gradients)
    {
        int width = gradient.Shape[2];
        bool gathers = !inputs.Sparse.IsEmpty && !inputs.Rows.IsEmpty;
        using Tensor kept = gathers ? device.Workspace(inputs.Sparse.Shape, gradient.ElementType) : inputs.Sparse.IsEmpty ? default : gradient.Retain();
        using Tensor dropped = device.Workspace(new Shape(width));
        if (gathers || inputs.Sparse.IsEmpty || !gradients.Bias.IsEmpty)
        {
            SumRows(gradient, inputs, gathers ? kept : default, dropped, gradients);
        }

        if (!gradients.Dense.IsEmpty)
        {
            BackwardInput(gradient, DenseHalf(inputs.Weight, width), gradients.Dense, gradients.AccumulateDense);
        }

        if (!gradients.Sparse.IsEmpty)
        {
            BackwardInput(kept, MatrixProductArguments.Pointer(inputs.Weight), gradients.Sparse, gradients.AccumulateSparse);
        }

        if (!gradients.Weight.IsEmpty)
        {
            BackwardWeight(gradient, inputs, gradients, kept, dropped);
        }

        if (!gradients.MaskToken.IsEmpty && (gathers || inputs.Sparse.IsEmpty))
        {
            kernels.Launch(
                gradient.ElementType,
                "fusion_mask_backward",
                CudaKernelFamily.Blocks(width, Lanes),
                (Lanes, Rows),
                new KernelArguments { dropped, inputs.Weight, gradients.MaskToken, width, IsFloat(gradients.MaskToken) });
        }
    }

    private static MatrixProductArguments Arguments(MatrixProductForm form, int m, int n, int k, Tensor a, Tensor b)
    {
        MatrixProductArguments arguments = MatrixProductArguments.Dense(form, m, n, k);
        arguments.A = MatrixProductArguments.Pointer(a);
        arguments.B = MatrixProductArguments.Pointer(b);
        return arguments;
    }

    private static int IsFloat(Tensor tensor) => tensor.ElementType == ElementType.Float32 ? 1 : 0;

    /// <summary>Where the columns that multiply f begin.</summary>
    private static DevicePointer DenseHalf(Tensor weight, int width) =>
        MatrixProductArguments.Pointer(weight).Offset((long)width * weight.ElementType.Size());

    /// <summary>
    /// Gathers kept rows of the gradient, sums dropped ones, and all for b. Without a row map every row counts as dropped; where in truth all
    /// are kept that sum goes unused.
    /// </summary>
    private void SumRows(Tensor gradient, in FusionInputs inputs, Tensor kept, Tensor dropped, in FusionGradients gradients)
    {
        if (!kept.IsEmpty)
        {
            // Rows that no token has (path drop) get none.
            device.Clear(kept);
        }

        int width = gradient.Shape[2];
        Tensor rows = kept.IsEmpty ? default : inputs.Rows;
        Dim3 grid = CudaColumnSums.Grid(gradient.Shape.Rows, width, gradient.ElementType);
        using Tensor partial = device.Workspace(new Shape(grid.Y, 2, width));
        kernels.Launch(
            gradient.ElementType, "fusion_gather_backward", grid, CudaColumnSums.Block, new KernelArguments { gradient, rows, kept, partial, gradient.Shape.Rows, width });
        Tensor bias = gradients.Bias;
        kernels.Launch(
            gradient.ElementType,
            "fusion_gather_backward_reduce",
            CudaKernelFamily.Blocks(width, CudaColumnSums.ReduceThreads),
            CudaColumnSums.ReduceThreads,
            new KernelArguments { partial, dropped, bias, grid.Y, width, bias.IsEmpty ? 0 : IsFloat(bias), gradients.AccumulateBias ? 1 : 0 });
    }

    private void BackwardInput(Tensor gradient, DevicePointer weight, Tensor target, bool accumulate)
    {
        int width = gradient.Shape[2];
        MatrixProductArguments arguments = MatrixProductArguments.Dense(MatrixProductForm.BackwardInput, MatrixProductArguments.RowsOf(gradient), width, width);
        arguments.A = MatrixProductArguments.Pointer(gradient);
        arguments.B = weight;
        arguments.StrideB = 2 * width;
        arguments.WriteTo(target, accumulate);
        products.Multiply(MatrixProductForm.BackwardInput, gradient.ElementType, arguments);
    }

    private void BackwardWeight(Tensor gradient, in FusionInputs inputs, in FusionGradients gradients, Tensor kept, Tensor dropped)
    {
        int width = gradient.Shape[2];
        WeightProduct(gradient, inputs.Dense, gradients.Weight, DenseHalf(gradients.Weight, width), gradients.AccumulateWeight);
        DevicePointer sparseHalf = MatrixProductArguments.Pointer(gradients.Weight);
        if (!kept.IsEmpty)
        {
            WeightProduct(kept, inputs.Sparse, gradients.Weight, sparseHalf, gradients.AccumulateWeight);
        }

        if (inputs.Sparse.IsEmpty || !inputs.Rows.IsEmpty)
        {
            kernels.Launch(
                gradient.ElementType,
                "fusion_constant_backward",
                (CudaKernelFamily.Blocks(width, Lanes), CudaKernelFamily.Blocks(width, Rows)),
                (Lanes, Rows),
                new KernelArguments
                {
                    dropped, inputs.MaskToken, gradients.Weight, width, IsFloat(gradients.Weight), gradients.AccumulateWeight || !kept.IsEmpty ? 1 : 0,
                });
        }
    }

    /// <summary><c>half of the weight's gradient (+)= gradient^T input</c>, inside rows of twice the width.</summary>
    private void WeightProduct(Tensor gradient, Tensor input, Tensor weight, DevicePointer half, bool accumulate)
    {
        int width = gradient.Shape[2];
        MatrixProductArguments arguments = Arguments(MatrixProductForm.BackwardWeight, width, width, MatrixProductArguments.RowsOf(gradient), gradient, input);
        arguments.WriteTo(weight, accumulate);
        arguments.Result = half;
        arguments.ResultStride = 2 * width;
        products.Multiply(MatrixProductForm.BackwardWeight, gradient.ElementType, arguments);
    }
}
