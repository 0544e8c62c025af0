namespace Sprint.Engine.Operations;

/// <summary>
/// Minus the mean cosine of predicted and target rows: <c>loss = -mean over (b, k) of p[b, k] . z[b, ids[b, k]] / (|p| |z|)</c>, where a norm counts as at
/// least <see cref="NormFloor"/>, so that a row of zeros has cosine 0. B samples, N tokens of the grid, M kept ones, F features. What aligns hidden
/// states with features of another network. Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 4; Yu et al., "Representation Alignment
/// for Generation" (arXiv 2410.06940), equation 8.
/// </summary>
public static class CosineLoss
{
    /// <summary>What a row's norm counts as at least.</summary>
    public const float NormFloor = 1e-12f;

    private const string Name = "cosine loss";

    /// <summary>Computes the loss.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="prediction">p (B, M, F).</param>
    /// <param name="target">z (B, N, F), stored as the prediction; no gradient flows to it.</param>
    /// <param name="ids">(B, M) int32: the row of z that each row of p is to match, as <see cref="TokenDrop.Select"/> gives them; empty where M = N and row k is to match row k.</param>
    /// <returns>The loss (1) float32, from -1 to 1, which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor prediction, Tensor target, Tensor ids)
    {
        Check(prediction, target, ids);
        Device device = prediction.Device;
        using Tensor loss = device.Allocate(new Shape(1));
        bool records = Tape.Records(tape, prediction);
        using Tensor coefficients = records ? device.Allocate(new Shape(prediction.Shape[0], prediction.Shape[1], 2)) : default;
        if (device.Dispatch(new OperationCost(Name, 0, 6 * prediction.Count, (2 * prediction.Bytes) + ids.Bytes, coefficients.Bytes + loss.Bytes)))
        {
            device.Kernels<ICosineLossKernels>().Forward(prediction, target, ids, coefficients, loss);
        }

        if (records)
        {
            var node = tape!.Record<LossNode>(loss);
            node.Prediction = prediction.Retain();
            node.Target = target.Retain();
            node.Ids = ids.IsEmpty ? default : ids.Retain();
            node.Coefficients = coefficients.Retain();
            node.PredictionSlot = Tape.Slot(prediction);
        }

        return loss.Retain();
    }

    private static void Check(Tensor prediction, Tensor target, Tensor ids)
    {
        Require.Rank(prediction, 3, Name, "the prediction");
        Require.Rank(target, 3, Name, "the target");
        Require.Numbers(prediction, Name, "the prediction");
        Require.Like(target, prediction, Name, "the target", "the prediction");
        Require.That(prediction.Count > 0, Name, $"the prediction has no elements (shape {prediction.Shape})");
        Require.Length(target, 0, prediction.Shape[0], Name, "the target");
        Require.Length(target, 2, prediction.Shape[2], Name, "the target");
        if (ids.IsEmpty)
        {
            Require.Length(target, 1, prediction.Shape[1], Name, "the target");
            return;
        }

        Require.Integers(ids, prediction.Device, Name, "the ids");
        Require.SameShape(ids, new Shape(prediction.Shape[0], prediction.Shape[1]), Name, "the ids");
    }

    /// <summary>Saves both sides and two numbers a row; nothing of their size.</summary>
    private sealed class LossNode : TapeNode
    {
        internal Tensor Prediction { get; set; }

        internal Tensor Target { get; set; }

        internal Tensor Ids { get; set; }

        internal Tensor Coefficients { get; set; }

        internal GradientSlot PredictionSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            Device device = gradient.Device;
            Tensor predictionGradient = PredictionSlot.Buffer(Prediction.ElementType, out bool accumulate);
            long read = ((accumulate ? 3 : 2) * Prediction.Bytes) + Coefficients.Bytes + Ids.Bytes;
            if (device.Dispatch(new OperationCost(Name, 0, 3 * Prediction.Count, read, Prediction.Bytes)))
            {
                device.Kernels<ICosineLossKernels>().Backward(gradient, Prediction, Target, Ids, Coefficients, predictionGradient, accumulate);
            }
        }

        protected internal override void Release()
        {
            Prediction.Dispose();
            Target.Dispose();
            Ids.Dispose();
            Coefficients.Dispose();
            Tape.Release(PredictionSlot);
        }
    }
}

/// <summary>What a device does for <see cref="CosineLoss"/>.</summary>
public interface ICosineLossKernels
{
    /// <summary>The loss, summed in an order that depends on the shape alone, and what the backward pass needs of each row.</summary>
    /// <param name="prediction">p (B, M, F).</param>
    /// <param name="target">z (B, N, F).</param>
    /// <param name="ids">(B, M) int32: rows of z; or empty where M = N.</param>
    /// <param name="coefficients">
    /// (B, M, 2) float32, overwritten, or empty: <c>1 / (|p| |z|)</c> and <c>cosine / |p|^2</c>, which is 0 where the floor stands for |p|.
    /// </param>
    /// <param name="loss">(1) float32, overwritten.</param>
    void Forward(Tensor prediction, Tensor target, Tensor ids, Tensor coefficients, Tensor loss);

    /// <summary><c>dp (+)= gradient / (B M) (p coefficients[1] - z coefficients[0])</c>.</summary>
    /// <param name="gradient">(1) float32: of the loss.</param>
    /// <param name="prediction">p (B, M, F).</param>
    /// <param name="target">z (B, N, F).</param>
    /// <param name="ids">(B, M) int32: rows of z; or empty where M = N.</param>
    /// <param name="coefficients">(B, M, 2) float32 of the forward pass.</param>
    /// <param name="predictionGradient">(B, M, F).</param>
    /// <param name="accumulate">Whether to add to it instead of overwriting it.</param>
    void Backward(Tensor gradient, Tensor prediction, Tensor target, Tensor ids, Tensor coefficients, Tensor predictionGradient, bool accumulate);
}
