using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary>
/// <see cref="ResidualFusion"/> on the CPU. Forward: the sparse product over kept rows, then the dense product whose epilogue
/// adds each row's sparse result, or the constant <c>m Wg^T</c>, and the bias. Backward: the gradients of kept rows are gathered
/// once and serve both g and the sparse half of W; those of dropped rows act through their sum alone.
/// </summary>
internal sealed unsafe class CpuResidualFusion(CpuDevice device) : IResidualFusionKernels
{
    public void Forward(in FusionInputs inputs, Tensor output)
    {
        if (!inputs.Rows.IsEmpty && !inputs.Sparse.IsEmpty)
        {
            Require.Places(inputs.Rows, -1, inputs.Sparse.Shape.Rows, "residual fusion", "row");
        }

        int width = inputs.Dense.Shape[2];
        float* weight = (float*)inputs.Weight.Address;
        var sparseWeight = MatrixOperand.Transposed(weight, 2L * width);
        using Tensor constant = device.Workspace(new Shape(width));
        if (inputs.Sparse.IsEmpty || !inputs.Rows.IsEmpty)
        {
            Multiply(MatrixOperand.Rows(Data(inputs.MaskToken), width), sparseWeight, Data(constant), width, 1, width, width, false);
        }

        using Tensor product = inputs.Sparse.IsEmpty ? default : device.Workspace(inputs.Sparse.Shape);
        if (!product.IsEmpty)
        {
            Multiply(MatrixOperand.Rows(Data(inputs.Sparse), width), sparseWeight, Data(product), width, Rows(product), width, width, false);
        }

        var epilogue = new FusionEpilogue(
            product.IsEmpty ? null : Data(product),
            inputs.Rows.IsEmpty ? null : (int*)inputs.Rows.Address,
            Data(constant),
            Data(inputs.Bias),
            width);
        MatrixProduct.Multiply(
            device.Pool,
            MatrixOperand.Rows(Data(inputs.Dense), width),
            MatrixOperand.Transposed(weight + width, 2L * width),
            Data(output),
            width,
            Rows(inputs.Dense),
            width,
            width,
            accumulate: false,
            epilogue);
    }

    public void Backward(Tensor gradient, in FusionInputs inputs, in FusionGradients gradients)
    {
        int width = gradient.Shape[2];
        bool gathers = !inputs.Sparse.IsEmpty && !inputs.Rows.IsEmpty;
        using Tensor kept = gathers ? device.Workspace(inputs.Sparse.Shape) : inputs.Sparse.IsEmpty ? default : gradient.Retain();
        using Tensor droppedSum = inputs.Sparse.IsEmpty || gathers ? device.Workspace(new Shape(width)) : default;
        if (gathers)
        {
            GatherKept(gradient, inputs.Rows, kept, droppedSum);
        }
        else if (!droppedSum.IsEmpty)
        {
            ColumnSums.Run(device, Data(gradient), gradient.Shape.Rows, width, Data(droppedSum), accumulate: false);
        }

        BackwardInputs(gradient, inputs, gradients, kept, width);
        BackwardParameters(gradient, inputs, gradients, kept, droppedSum, width);
    }

    private static float* Data(Tensor tensor) => (float*)tensor.Address;

    private static int Rows(Tensor tensor) => checked((int)tensor.Shape.Rows);

    private void Multiply(MatrixOperand a, MatrixOperand b, float* c, long stride, int rows, int columns, int depth, bool accumulate) =>
        MatrixProduct.Multiply(device.Pool, a, b, c, stride, rows, columns, depth, accumulate);

    private void BackwardInputs(Tensor gradient, in FusionInputs inputs, in FusionGradients gradients, Tensor kept, int width)
    {
        float* weight = Data(inputs.Weight);
        if (!gradients.Dense.IsEmpty)
        {
            Multiply(
                MatrixOperand.Rows(Data(gradient), width),
                MatrixOperand.Rows(weight + width, 2L * width),
                Data(gradients.Dense),
                width,
                Rows(gradient),
                width,
                width,
                gradients.AccumulateDense);
        }

        if (!gradients.Sparse.IsEmpty)
        {
            Multiply(
                MatrixOperand.Rows(Data(kept), width),
                MatrixOperand.Rows(weight, 2L * width),
                Data(gradients.Sparse),
                width,
                Rows(kept),
                width,
                width,
                gradients.AccumulateSparse);
        }
    }

    private void BackwardParameters(
        Tensor gradient, in FusionInputs inputs, in FusionGradients gradients, Tensor kept, Tensor droppedSum, int width)
    {
        if (!gradients.Bias.IsEmpty)
        {
            ColumnSums.Run(device, Data(gradient), gradient.Shape.Rows, width, Data(gradients.Bias), gradients.AccumulateBias);
        }

        if (!gradients.Weight.IsEmpty)
        {
            float* weight = Data(gradients.Weight);
            bool accumulate = gradients.AccumulateWeight;
            WeightProduct(gradient, inputs.Dense, weight + width, width, accumulate);
            if (!kept.IsEmpty)
            {
                WeightProduct(kept, inputs.Sparse, weight, width, accumulate);
                accumulate = true;
            }

            if (!droppedSum.IsEmpty)
            {
                Multiply(
                    MatrixOperand.Transposed(Data(droppedSum), width),
                    MatrixOperand.Rows(Data(inputs.MaskToken), width),
                    weight,
                    2L * width,
                    width,
                    width,
                    1,
                    accumulate);
            }
        }

        if (!gradients.MaskToken.IsEmpty && !droppedSum.IsEmpty)
        {
            Multiply(
                MatrixOperand.Rows(Data(droppedSum), width),
                MatrixOperand.Rows(Data(inputs.Weight), 2L * width),
                Data(gradients.MaskToken),
                width,
                1,
                width,
                width,
                true);
        }
    }

    /// <summary><c>half of the weight's gradient (+)= gradient^T input</c>, inside rows of twice the width.</summary>
    private void WeightProduct(Tensor gradient, Tensor input, float* weight, int width, bool accumulate) => Multiply(
        MatrixOperand.Transposed(Data(gradient), width),
        MatrixOperand.Rows(Data(input), width),
        weight,
        2L * width,
        width,
        width,
        Rows(gradient),
        accumulate);

    private void GatherKept(Tensor gradient, Tensor rows, Tensor kept, Tensor droppedSum)
    {
        (int batch, int tokens, int width) = (gradient.Shape[0], gradient.Shape[1], gradient.Shape[2]);
        using Tensor partials = device.Workspace(new Shape(batch, width));
        device.Clear(kept);
        var job = new GatherJob(Data(gradient), (int*)rows.Address, Data(kept), Data(partials), tokens, width);
        device.Pool.Run(ref job, batch);
        ColumnSums.Run(device, Data(partials), batch, width, Data(droppedSum), accumulate: false);
    }

    private readonly struct GatherJob(float* gradient, int* rows, float* kept, float* partials, int tokens, int width) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            float* sum = partials + ((long)index * width);
            new Span<float>(sum, width).Clear();
            for (long row = (long)index * tokens; row < (index + 1L) * tokens; row++)
            {
                float* dy = gradient + (row * width);
                if (rows[row] >= 0)
                {
                    new ReadOnlySpan<float>(dy, width).CopyTo(new Span<float>(kept + ((long)rows[row] * width), width));
                    continue;
                }

                for (int i = 0; i < width; i += Lanes.Count)
                {
                    Lanes.Contribute(Lanes.Load(dy + i, width - i), sum + i, width - i, accumulate: true);
                }
            }
        }
    }

    /// <summary>Adds the bias and the row's share of the sparse path.</summary>
    private readonly struct FusionEpilogue(float* product, int* rows, float* constant, float* bias, int width) : IMatrixEpilogue
    {
        // What it reads was computed just before.
        public void Prefetch(int rowIndex, int rows, int column, int count)
        {
        }

        public void Apply(float* row, int rowIndex, int column, int count)
        {
            int source = rows == null ? rowIndex : rows[rowIndex];
            float* sparse = (product == null || source < 0 ? constant : product + ((long)source * width)) + column;
            for (int i = 0; i < count; i += Lanes.Count)
            {
                int left = count - i;
                Vector512<float> share = Lanes.Load(sparse + i, left) + Lanes.Load(bias + column + i, left);
                Lanes.Contribute(share, row + i, left, accumulate: true);
            }
        }
    }
}
