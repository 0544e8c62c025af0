namespace Sprint.Engine.Operations;

/// <summary>Saves the input, the gate, the linear part and the weights; not the product of the two that the last layer reads, which is made again.</summary>
internal sealed class SwiGluNode : TapeNode
{
    internal Tensor Input { get; set; }

    internal Tensor Gate { get; set; }

    internal Tensor Linear { get; set; }

    internal Tensor GateWeight { get; set; }

    internal Tensor LinearWeight { get; set; }

    internal Tensor OutputWeight { get; set; }

    internal GradientSlot InputSlot { get; set; }

    internal LinearSlots GateSlots { get; set; }

    internal LinearSlots LinearSlots { get; set; }

    internal LinearSlots OutputSlots { get; set; }

    protected internal override void Backward(Tensor gradient)
    {
        using (Tensor product = gradient.Device.Allocate(Gate.Shape, Gate.ElementType))
        {
            Differentiate(gradient, product);
            OutputSlots.Contribute(gradient, product);
        }

        // Gate and linear part are their gradients now.
        GateSlots.Contribute(Gate, Input);
        LinearSlots.Contribute(Linear, Input);
        LinearSlots.ContributeInput(Gate, GateWeight, InputSlot);
        LinearSlots.ContributeInput(Linear, LinearWeight, InputSlot);
    }

    protected internal override void Release()
    {
        Input.Dispose();
        Gate.Dispose();
        Linear.Dispose();
        GateWeight.Dispose();
        LinearWeight.Dispose();
        OutputWeight.Dispose();
        Tape.Release(InputSlot);
        GateSlots.Release();
        LinearSlots.Release();
        OutputSlots.Release();
    }

    private void Differentiate(Tensor gradient, Tensor product)
    {
        Device device = gradient.Device;
        OperationCost cost = LinearCost.BackwardInput(gradient, OutputWeight, product, accumulate: false);
        if (device.Executes && device.Kernels<ISwiGluKernels>().FusesBackward(gradient, OutputWeight))
        {
            device.Dispatch(SwiGluCost.FusedBackward(Gate));
            device.Dispatch(cost);
            device.Kernels<ISwiGluKernels>().BackwardProduct(gradient, OutputWeight, Gate, Linear, product);
            return;
        }

        if (device.Dispatch(cost))
        {
            device.Kernels<ILinearKernels>().BackwardInput(gradient, OutputWeight, product, accumulate: false);
        }

        if (device.Dispatch(SwiGluCost.Backward(Gate)))
        {
            device.Kernels<ISwiGluKernels>().Backward(Gate, Linear, product);
        }
    }
}
