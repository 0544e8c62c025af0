using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Golden;

/// <summary>AdamW and clipping against the reference's numbers.</summary>
[TestFixture]
public sealed class GoldenOptimizerTests
{
    [TestCase("adamw_wd0", 0)]
    [TestCase("adamw_wd01", 0.1)]
    public void Updates(string name, double weightDecay)
    {
        using var unit = new GoldenUnit(name);
        using var parameter = new Parameter(unit.Device, "p", new Shape(12));
        parameter.Value.CopyFrom<float>(unit["p0"]);
        using var optimizer = new AdamW(unit.Device, [parameter]);
        for (int step = 0; step < 4; step++)
        {
            parameter.Gradient.CopyFrom<float>(unit["grads"].AsSpan(step * 12, 12));
            optimizer.MeasureNorm();
            optimizer.Update(new AdamWSettings(1e-2, step + 1, WeightDecay: weightDecay, MaximumNorm: double.PositiveInfinity));
            Comparer.AssertClose($"p after step {step + 1}", parameter.Value.ToArray(), unit["p"].AsSpan(step * 12, 12), 1e-6);
        }
    }

    // The clipped gradient shows in the first moment of the first update: (1 - beta1) times it.
    [TestCase("clip", 2)]
    [TestCase("clip_under", 1)]
    public void Clipping_by_the_global_norm(string name, int tensors)
    {
        using var unit = new GoldenUnit(name);
        Parameter[] parameters = [.. Enumerable.Range(0, tensors).Select(i => new Parameter(unit.Device, $"p{i}", new Shape(unit.Shape($"g{i}"))))];
        foreach (Parameter parameter in parameters)
            unit.Device.Clear(parameter.Value);
        using var optimizer = new AdamW(unit.Device, parameters);
        for (int i = 0; i < tensors; i++)
            parameters[i].Gradient.CopyFrom<float>(unit[$"g{i}"]);
        optimizer.MeasureNorm();
        optimizer.Update(new AdamWSettings(1, 1, Beta1: 0.5, MaximumNorm: 1));

        Comparer.AssertClose("norm", optimizer.Norm.ToArray(), unit["norm"], 1e-6);
        for (int i = 0; i < tensors; i++)
        {
            float[] clipped = Array.ConvertAll(optimizer.States[i].FirstMoment.ToArray(), value => 2 * value);
            Comparer.AssertClose($"out{i}", clipped, unit[$"out{i}"], 1e-6);
            parameters[i].Dispose();
        }
    }
}
