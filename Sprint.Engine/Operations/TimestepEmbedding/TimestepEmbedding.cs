namespace Sprint.Engine.Operations;

/// <summary>
/// Sinusoidal features of times: <c>[cos(t f_i), sin(t f_i)]</c>, <c>f_i = exp(-ln(10000) i / (features/2))</c>, t in [0, 1]
/// taken as it is. t (batch), result (batch, features). No gradient flows to t.
/// Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 2.
/// </summary>
public static class TimestepEmbedding
{
    private const string Name = "timestep embedding";

    /// <summary>Computes the features.</summary>
    /// <param name="times">t (batch).</param>
    /// <param name="features">How many, even.</param>
    /// <param name="type">How the features are stored.</param>
    /// <returns>(batch, features), which the caller disposes.</returns>
    public static Tensor Apply(Tensor times, int features = 256, ElementType type = ElementType.Float32)
    {
        Require.Floats(times, times.Device, Name, "the times");
        Require.Rank(times, 1, Name, "the times");
        Require.That(features > 0 && features % 2 == 0, Name, $"the number of features must be positive and even, not {features}");
        using Tensor output = times.Device.Allocate(new Shape(times.Shape[0], features), type);
        Require.Numbers(output, Name, "the result");
        if (times.Device.Dispatch(new OperationCost(Name, 0, 3 * output.Count, times.Bytes, output.Bytes)))
        {
            times.Device.Kernels<ITimestepEmbeddingKernels>().Forward(times, output);
        }

        return output.Retain();
    }
}

/// <summary>What a device does for <see cref="TimestepEmbedding"/>.</summary>
public interface ITimestepEmbeddingKernels
{
    /// <summary>Computes the features.</summary>
    /// <param name="times">(batch).</param>
    /// <param name="output">(batch, features), overwritten.</param>
    void Forward(Tensor times, Tensor output);
}
