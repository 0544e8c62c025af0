namespace Sprint.Engine.Operations;

/// <summary>Saves the input, the weight and, under an activation, its argument.</summary>
internal sealed class LinearNode : TapeNode
{
    internal Activation Activation { get; set; }

    internal Tensor Input { get; set; }

    internal Tensor Weight { get; set; }

    internal Tensor Preactivation { get; set; }

    internal GradientSlot InputSlot { get; set; }

    internal LinearSlots Slots { get; set; }

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

        if (device.Executes && InputSlot is { IsWanted: true, OnlyReaderOf: { } producer } && device.Kernels<ILinearKernels>().FusesDerivative(gradient, Weight, producer.Activation))
        {
            Tensor argumentGradient = InputSlot.Buffer(producer.Preactivation.ElementType, out _);
            device.Dispatch(LinearCost.BackwardInput(gradient, Weight, argumentGradient, accumulate: false));
            device.Dispatch(LinearCost.FusedDerivative(producer.Preactivation));
            device.Kernels<ILinearKernels>().BackwardArgument(gradient, Weight, producer.Activation, producer.Preactivation, argumentGradient);
            producer.ArgumentGradientArrives = true;
        }
        else
        {
            LinearSlots.ContributeInput(gradient, Weight, InputSlot);
        }

        Slots.Contribute(gradient, Input);
    }

    protected internal override void Release()
    {
        ArgumentGradientArrives = false;
        Input.Dispose();
        Weight.Dispose();
        Preactivation.Dispose();
        Tape.Release(InputSlot);
        Slots.Release();
    }
}
