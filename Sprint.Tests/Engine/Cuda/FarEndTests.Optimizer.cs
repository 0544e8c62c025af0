using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Cuda;

/// <content>The optimizer, whose kernels take many parameters at once.</content>
public sealed partial class FarEndTests
{
    [Test]
    public void The_optimizer_reaches_the_last_element_of_a_large_parameter_and_the_parameter_behind_it()
    {
        const int Small = 5;
        static Shape Large(int samples) => new(samples, 1024);
        FarOperand[] Operands(string name, Func<int, Shape> shape) =>
        [
            Changed($"value of the {name} parameter", shape), Floats(shape), Changed($"first moment of the {name} parameter", shape),
            Changed($"second moment of the {name} parameter", shape) with { IsPositive = true }, Changed($"average of the {name} parameter", shape),
            .. element == ElementType.BFloat16 ? [Output($"shadow of the {name} parameter", shape)] : Array.Empty<FarOperand>(),
        ];
        FarOperand Changed(string name, Func<int, Shape> shape) => FarOperand.Sum(name, ElementType.Float32, shape);
        List<AdamWState> states = [];
        Tensor[] Allocate(CudaDevice device, int samples)
        {
            states = [.. new[] { Large(samples), new Shape(Small) }.Select(shape => new AdamWState(new Parameter(device, "parameter", shape, operandType: element)))];
            return [.. states.SelectMany(state => Tensors(state)), device.Allocate(new Shape(1))];
        }

        IEnumerable<Tensor> Tensors(AdamWState state)
        {
            GradientSlot slot = Tape.Slot(state.Parameter.Operand);
            Tensor gradient = slot.Buffer(out _).Retain();
            slot.Release();
            return [state.Parameter.Value, gradient, state.FirstMoment, state.SecondMoment, state.Average, .. state.Parameter.Shadow.IsEmpty ? Array.Empty<Tensor>() : [state.Parameter.Shadow]];
        }

        FarOperand[] parameters = [.. Operands("large", Large), .. Operands("small", _ => new(Small))];
        end.Verify(
            1024,
            64,
            [.. parameters, Floats(_ => new(1))],
            (device, t) =>
            {
                IAdamWKernels kernels = device.Kernels<IAdamWKernels>();
                kernels.Configure(new AdamWSettings(1e-3, 3, WeightDecay: 0.1, AverageDecay: 0.9));
                kernels.Update(states, t[^1]);
                kernels.Forget(states);
            },
            Allocate);
        IReadOnlyList<LaunchStatistics> launches = end.Verify(
            1024,
            64,
            [.. parameters.Select(operand => operand with { IsWritten = false }), FarOperand.SumOfAll("norm", ElementType.Float32, new(1))],
            (device, t) =>
            {
                device.Kernels<IAdamWKernels>().GradientNorm(states, t[^1]);
                device.Kernels<IAdamWKernels>().Forget(states);
            },
            Allocate);
        AssertReads(launches, "adamw_gradient_norm", ((end.LastBlocks - 1) * 8192) + Small, ElementType.Float32);
    }
}
