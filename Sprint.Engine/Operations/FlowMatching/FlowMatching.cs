namespace Sprint.Engine.Operations;

/// <summary>
/// The training objective: <c>x_t = alpha x_0 + sigma noise</c>, velocity <c>v = alpha' x_0 + sigma' noise</c>, loss = mean
/// squared error of the predicted velocity over everything. Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 4.
/// </summary>
public static class FlowMatching
{
    private const string Name = "flow matching";

    /// <summary>Mixes data and noise, and says what velocity the model should predict.</summary>
    /// <param name="data">x_0 (batch, ...).</param>
    /// <param name="noise">Standard normal, of the shape of x_0.</param>
    /// <param name="times">t (batch).</param>
    /// <param name="path">The path.</param>
    /// <param name="target">v, of the shape of x_0, which the caller disposes.</param>
    /// <returns>x_t, of the shape of x_0, which the caller disposes.</returns>
    public static Tensor Interpolate(Tensor data, Tensor noise, Tensor times, FlowPath path, out Tensor target)
    {
        Require.Numbers(data, Name, "the data");
        Require.Like(noise, data, Name, "the noise", "the data");
        Require.Floats(times, data.Device, Name, "the times");
        Require.SameShape(noise, data.Shape, Name, "the noise");
        Require.SameShape(times, new Shape(data.Shape[0]), Name, "the times");
        Device device = data.Device;
        using Tensor mixed = device.Allocate(data.Shape, data.ElementType);
        using Tensor velocity = device.Allocate(data.Shape, data.ElementType);
        if (device.Dispatch(new OperationCost(Name, 0, 6 * data.Count, 2 * data.Bytes, 2 * data.Bytes)))
        {
            device.Kernels<IFlowMatchingKernels>().Interpolate(data, noise, times, path, mixed, velocity);
        }

        target = velocity.Retain();
        return mixed.Retain();
    }

    /// <summary>The mean over all elements of <c>(prediction - target)^2</c>.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="prediction">Any shape.</param>
    /// <param name="target">The same shape; no gradient flows to it.</param>
    /// <returns>The loss (1), which the caller disposes.</returns>
    public static Tensor Loss(Tape? tape, Tensor prediction, Tensor target)
    {
        Require.Numbers(prediction, Name, "the prediction");
        Require.Like(target, prediction, Name, "the target", "the prediction");
        Require.SameShape(target, prediction.Shape, Name, "the target");
        Device device = prediction.Device;
        using Tensor loss = device.Allocate(new Shape(1));
        if (device.Dispatch(new OperationCost(Name, 0, 3 * target.Count, 2 * target.Bytes, loss.Bytes)))
        {
            device.Kernels<IFlowMatchingKernels>().Loss(prediction, target, loss);
        }

        if (Tape.Records(tape, prediction))
        {
            var node = tape.Record<LossNode>(loss);
            node.Prediction = prediction.Retain();
            node.Target = target.Retain();
            node.PredictionSlot = Tape.Slot(prediction);
        }

        return loss.Retain();
    }

    private sealed class LossNode : TapeNode
    {
        internal Tensor Prediction { get; set; }

        internal Tensor Target { get; set; }

        internal GradientSlot PredictionSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            using Tensor predictionGradient = gradient.Device.Allocate(Prediction.Shape, Prediction.ElementType);
            if (gradient.Device.Dispatch(new OperationCost(Name, 0, 2 * Prediction.Count, 2 * Prediction.Bytes, Prediction.Bytes)))
            {
                gradient.Device.Kernels<IFlowMatchingKernels>().LossBackward(gradient, Prediction, Target, predictionGradient);
            }

            PredictionSlot.Pass(predictionGradient);
        }

        protected internal override void Release()
        {
            Prediction.Dispose();
            Target.Dispose();
            Tape.Release(PredictionSlot);
        }
    }
}

/// <summary>What a device does for <see cref="FlowMatching"/>.</summary>
public interface IFlowMatchingKernels
{
    /// <summary>Mixes data and noise and computes the velocity.</summary>
    /// <param name="data">(batch, ...).</param>
    /// <param name="noise">The same shape.</param>
    /// <param name="times">(batch).</param>
    /// <param name="path">The path.</param>
    /// <param name="mixed">The same shape, overwritten.</param>
    /// <param name="target">The same shape, overwritten.</param>
    void Interpolate(Tensor data, Tensor noise, Tensor times, FlowPath path, Tensor mixed, Tensor target);

    /// <summary>The mean squared difference, summed in an order that depends on the shape alone.</summary>
    /// <param name="prediction">Any shape.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="loss">(1), overwritten.</param>
    void Loss(Tensor prediction, Tensor target, Tensor loss);

    /// <summary><c>predictionGradient = gradient * 2 (prediction - target) / count</c>.</summary>
    /// <param name="gradient">(1): of the loss.</param>
    /// <param name="prediction">Any shape.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="predictionGradient">The same shape, overwritten.</param>
    void LossBackward(Tensor gradient, Tensor prediction, Tensor target, Tensor predictionGradient);
}
