using NUnit.Framework;
using Sprint.Engine;

namespace Sprint.Tests.Golden;

/// <summary>
/// Cases of <c>units.safetensors</c> on the cpu: tensors of a case by name, and comparisons with the tolerances of whole models.
/// </summary>
internal sealed class GoldenUnit : IDisposable
{
    internal const double OutputTolerance = 2e-6;
    internal const double GradientTolerance = 5e-6;
    private static readonly GoldenFile File = GoldenFile.Open("units.safetensors");
    private readonly string name;
    private readonly List<Tensor> tensors = [];

    internal GoldenUnit(string name) => this.name = name;

    internal CpuDevice Device { get; } = new(threads: 2) { PoisonsMemory = true };

    internal float[] this[string key] => File.Floats($"{name}.{key}");

    internal int[] Integers(string key) => File.Integers($"{name}.{key}");

    internal int[] Shape(string key) => File.Shape($"{name}.{key}");

    /// <summary>A tensor of the case; it wants a gradient.</summary>
    internal Tensor Input(string key, params int[] shape) => Keep(shape.Length == 0 ? Shape(key) : shape, this[key]);

    /// <summary>A tensor with numbers put together from the case's; it wants a gradient.</summary>
    internal Tensor Keep(int[] shape, float[] values)
    {
        Tensor tensor = Device.From(new Shape(shape), values);
        tensors.Add(tensor);
        Tape.Watch(tensor);
        return tensor;
    }

    internal void Output(string key, Tensor actual) => Comparer.AssertClose($"{name}.{key}", actual.ToArray(), this[key], OutputTolerance);

    internal void Gradient(string key, Tensor input) => Gradient(key, Tape.GradientOf(input).ToArray());

    internal void Gradient(string key, float[] actual) =>
        Comparer.AssertClose($"{name}.grad.{key}", actual, this["grad." + key], GradientTolerance);

    /// <summary>Runs backwards from an output with the upstream gradient of the case.</summary>
    internal void Backward(Tape tape, Tensor output, string key = "dy")
    {
        using Tensor gradient = Device.From(output.Shape, this[key]);
        tape.Backward(output, gradient);
    }

    public void Dispose()
    {
        foreach (Tensor tensor in tensors)
            tensor.Dispose();
        Assert.That(Device.Account.LiveBytes, Is.Zero, $"memory held after {name}");
        Device.Dispose();
    }
}
