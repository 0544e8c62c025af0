namespace Sprint.Engine.Operations;

/// <summary>Saves the input, the weight and, under an activation, its argument.</summary>
internal sealed class LinearNode : TapeNode
{
    internal Activation Activation { get; set; }

    internal Tensor Input { get; set; }

    internal Tensor Weight { get; set; }

    internal Tensor Preactivation { get; set; }

    internal GradientSlot InputSlot { get; set; }

    internal GradientSlot WeightSlot { get; set; }

    internal GradientSlot BiasSlot { get; set; }

    /// <summary>
    /// Whether the gradient that arrives is already that of the activation's argument: the one operation that reads the output has multiplied by
    /// the derivative while it had the gradient at hand (<see cref="GradientSlot.OnlyReaderOf"/>).
    /// </summary>
    internal bool ArgumentGradientArrives { get; set; }

    protected internal override void Backward(Tensor gradient)
    {
        Device device = gradient.Device;

        // Products take operands of one type: where the output was float32, so is its gradient.
        using Tensor narrowed = gradient.ElementType == Input.ElementType ? default : Narrowing.Narrow(gradient, Input.ElementType);
        gradient = narrowed.IsEmpty ? gradient : narrowed;
        if (Activation != Activation.None && !ArgumentGradientArrives)
        {
            if (device.Dispatch(LinearCost.BackwardActivation(gradient)))
            {
                device.Kernels<ILinearKernels>().BackwardActivation(gradient, Activation, Preactivation);
            }

            gradient = Preactivation;
        }

        if (InputSlot.IsWanted)
        {
            if (device.Executes && InputSlot.OnlyReaderOf is { } producer && device.Kernels<ILinearKernels>().FusesDerivative(gradient, Weight))
            {
                Tensor argumentGradient = InputSlot.Buffer(producer.Preactivation.ElementType, out _);
                device.Dispatch(LinearCost.BackwardInput(gradient, Weight, argumentGradient, accumulate: false));
                device.Dispatch(LinearCost.FusedDerivative(producer.Preactivation));
                device.Kernels<ILinearKernels>().BackwardArgument(gradient, Weight, producer.Activation, producer.Preactivation, argumentGradient);
                producer.ArgumentGradientArrives = true;
            }
            else
            {
                Tensor inputGradient = InputSlot.Buffer(out bool accumulate);
                if (device.Dispatch(LinearCost.BackwardInput(gradient, Weight, inputGradient, accumulate)))
                {
                    device.Kernels<ILinearKernels>().BackwardInput(gradient, Weight, inputGradient, accumulate);
                }
            }
        }

        bool accumulateBias = false;
        Tensor biasGradient = BiasSlot.IsWanted ? BiasSlot.Buffer(out accumulateBias) : default;
        if (WeightSlot.IsWanted)
        {
            Tensor weightGradient = WeightSlot.Buffer(out bool accumulate);
            if (device.Dispatch(LinearCost.BackwardWeight(gradient, Input, weightGradient, accumulate, biasGradient)))
            {
                device.Kernels<ILinearKernels>().BackwardWeight(gradient, Input, weightGradient, accumulate, biasGradient, accumulateBias);
            }
        }
        else if (!biasGradient.IsEmpty && device.Dispatch(LinearCost.BackwardBias(gradient, biasGradient)))
        {
            device.Kernels<ILinearKernels>().BackwardBias(gradient, biasGradient, accumulateBias);
        }
    }

    protected internal override void Release()
    {
        ArgumentGradientArrives = false;
        Input.Dispose();
        Weight.Dispose();
        Preactivation.Dispose();
        Tape.Release(InputSlot);
        Tape.Release(WeightSlot);
        Tape.Release(BiasSlot);
    }
}
