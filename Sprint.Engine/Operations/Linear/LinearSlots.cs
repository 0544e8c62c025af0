namespace Sprint.Engine.Operations;

/// <summary>Where the gradients of a linear layer's weight and bias are gathered, and how a layer contributes to them and to its input's.</summary>
/// <param name="Weight">Of W (outputs, inputs).</param>
/// <param name="Bias">Of b (outputs); empty where there is none.</param>
internal readonly record struct LinearSlots(GradientSlot Weight, GradientSlot Bias)
{
    internal static LinearSlots Of(LinearWeights weights) => new(Tape.Slot(weights.Weight), Tape.Slot(weights.Bias));

    /// <summary>Contributes to weight and bias, where they are wanted.</summary>
    /// <param name="gradient">(rows, outputs): of the result, as the operands are stored.</param>
    /// <param name="input">(rows, inputs).</param>
    internal void Contribute(Tensor gradient, Tensor input)
    {
        Device device = gradient.Device;
        bool accumulateBias = false;
        Tensor biasGradient = Bias.IsWanted ? Bias.Buffer(out accumulateBias) : default;
        if (Weight.IsWanted)
        {
            Tensor weightGradient = Weight.Buffer(out bool accumulate);
            if (device.Dispatch(LinearCost.BackwardWeight(gradient, input, weightGradient, accumulate, biasGradient)))
            {
                device.Kernels<ILinearKernels>().BackwardWeight(gradient, input, weightGradient, accumulate, biasGradient, accumulateBias);
            }
        }
        else if (!biasGradient.IsEmpty && device.Dispatch(LinearCost.BackwardBias(gradient, biasGradient)))
        {
            device.Kernels<ILinearKernels>().BackwardBias(gradient, biasGradient, accumulateBias);
        }
    }

    /// <summary>Contributes to the input, where it is wanted.</summary>
    /// <param name="gradient">(rows, outputs): of the result, as the operands are stored.</param>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="inputSlot">Of the input.</param>
    internal static void ContributeInput(Tensor gradient, Tensor weight, GradientSlot inputSlot)
    {
        if (!inputSlot.IsWanted)
        {
            return;
        }

        Device device = gradient.Device;
        Tensor inputGradient = inputSlot.Buffer(out bool accumulate);
        if (device.Dispatch(LinearCost.BackwardInput(gradient, weight, inputGradient, accumulate)))
        {
            device.Kernels<ILinearKernels>().BackwardInput(gradient, weight, inputGradient, accumulate);
        }
    }

    internal void Release()
    {
        Tape.Release(Weight);
        Tape.Release(Bias);
    }
}
