using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="CosineLoss"/> on the CPU: rows in pieces of fixed length, whose sums are added in order.</summary>
internal sealed unsafe class CpuCosineLoss(CpuDevice device) : ICosineLossKernels
{
    private const int RowsPerPiece = 32;

    public void Forward(Tensor prediction, Tensor target, Tensor ids, Tensor coefficients, Tensor loss)
    {
        var rows = new Rows(prediction, target, ids);
        using Tensor partials = device.Workspace(new Shape(rows.Pieces));
        var job = new ForwardJob(rows, coefficients.IsEmpty ? null : (float*)coefficients.Address, (float*)partials.Address);
        device.Pool.Run(ref job, rows.Pieces);
        double sum = 0;
        for (int i = 0; i < rows.Pieces; i++)
        {
            sum += ((float*)partials.Address)[i];
        }

        *(float*)loss.Address = (float)(-sum / rows.Count);
    }

    public void Backward(Tensor gradient, Tensor prediction, Tensor target, Tensor ids, Tensor coefficients, Tensor predictionGradient, bool accumulate)
    {
        var rows = new Rows(prediction, target, ids);
        float factor = *(float*)gradient.Address / rows.Count;
        var job = new BackwardJob(rows, factor, (float*)coefficients.Address, (float*)predictionGradient.Address, accumulate);
        device.Pool.Run(ref job, rows.Pieces);
    }

    /// <summary>Rows of the prediction, each beside the row of the target that it is to match.</summary>
    private readonly struct Rows
    {
        private readonly float* prediction;
        private readonly float* target;
        private readonly int* ids;
        private readonly int kept;
        private readonly int tokens;

        internal Rows(Tensor prediction, Tensor target, Tensor ids)
        {
            this.prediction = (float*)prediction.Address;
            this.target = (float*)target.Address;
            this.ids = ids.IsEmpty ? null : (int*)ids.Address;
            (kept, tokens, Width, Count) = (prediction.Shape[1], target.Shape[1], prediction.Shape[2], prediction.Shape.Rows);
            if (!ids.IsEmpty)
            {
                Require.Places(ids, 0, tokens, "cosine loss", "id");
            }
        }

        internal int Width { get; }

        internal long Count { get; }

        internal int Pieces => checked((int)((Count + RowsPerPiece - 1) / RowsPerPiece));

        internal float* Prediction(long row) => prediction + (row * Width);

        internal float* Target(long row) => target + ((ids is null ? row : (row / kept * tokens) + ids[row]) * Width);

        internal long End(int piece) => Math.Min(Count, (piece + 1L) * RowsPerPiece);
    }

    private readonly struct ForwardJob(Rows rows, float* coefficients, float* partials) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            float sum = 0;
            for (long row = (long)index * RowsPerPiece; row < rows.End(index); row++)
            {
                (float product, float prediction, float target) = Products(rows.Prediction(row), rows.Target(row), rows.Width);
                float norm = MathF.Sqrt(prediction);
                float predictionInverse = 1 / Floored(norm);
                float targetInverse = 1 / Floored(MathF.Sqrt(target));
                float cosine = product * predictionInverse * targetInverse;
                sum += cosine;
                if (coefficients is not null)
                {
                    coefficients[2 * row] = predictionInverse * targetInverse;
                    coefficients[(2 * row) + 1] = norm < CosineLoss.NormFloor ? 0 : cosine * predictionInverse * predictionInverse;
                }
            }

            partials[index] = sum;
        }

        private static float Floored(float norm) => norm < CosineLoss.NormFloor ? CosineLoss.NormFloor : norm;

        private static (float Product, float Prediction, float Target) Products(float* prediction, float* target, int width)
        {
            Vector512<float> product = default, ofPrediction = default, ofTarget = default;
            for (int i = 0; i < width; i += Lanes.Count)
            {
                Vector512<float> p = Lanes.Load(prediction + i, width - i), z = Lanes.Load(target + i, width - i);
                product = Vector512.FusedMultiplyAdd(p, z, product);
                ofPrediction = Vector512.FusedMultiplyAdd(p, p, ofPrediction);
                ofTarget = Vector512.FusedMultiplyAdd(z, z, ofTarget);
            }

            return (Lanes.Sum(product), Lanes.Sum(ofPrediction), Lanes.Sum(ofTarget));
        }
    }

    private readonly struct BackwardJob(Rows rows, float factor, float* coefficients, float* gradient, bool accumulate) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            for (long row = (long)index * RowsPerPiece; row < rows.End(index); row++)
            {
                float ofTarget = -factor * coefficients[2 * row], ofPrediction = factor * coefficients[(2 * row) + 1];
                float* prediction = rows.Prediction(row), target = rows.Target(row), output = gradient + (row * rows.Width);
                for (int i = 0; i < rows.Width; i += Lanes.Count)
                {
                    int left = rows.Width - i;
                    Vector512<float> value = (Lanes.Load(prediction + i, left) * ofPrediction) + (Lanes.Load(target + i, left) * ofTarget);
                    Lanes.Contribute(value, output + i, left, accumulate);
                }
            }
        }
    }
}
