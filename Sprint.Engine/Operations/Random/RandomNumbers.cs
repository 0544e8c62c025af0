namespace Sprint.Engine.Operations;

/// <summary>Fills tensors with numbers of a <see cref="RandomStream"/>.</summary>
public static class RandomNumbers
{
    private const string Name = "random";

    /// <summary>Uniform numbers in [0, 1), multiples of 2^-24.</summary>
    /// <param name="device">Where to.</param>
    /// <param name="shape">How many.</param>
    /// <param name="stream">Which.</param>
    /// <returns>A float32 tensor, which the caller disposes.</returns>
    public static Tensor Uniform(Device device, Shape shape, RandomStream stream)
    {
        ArgumentNullException.ThrowIfNull(device);
        using Tensor output = device.Allocate(shape);
        if (device.Dispatch(new OperationCost(Name, 0, output.Count, 0, sizeof(float) * output.Count)))
        {
            device.Kernels<IRandomKernels>().Uniform(stream, output);
        }

        return output.Retain();
    }

    /// <summary>Standard normal numbers: each two words of the stream give two.</summary>
    /// <param name="device">Where to.</param>
    /// <param name="shape">How many.</param>
    /// <param name="stream">Which.</param>
    /// <returns>A float32 tensor, which the caller disposes.</returns>
    public static Tensor Normal(Device device, Shape shape, RandomStream stream)
    {
        ArgumentNullException.ThrowIfNull(device);
        using Tensor output = device.Allocate(shape);
        if (device.Dispatch(new OperationCost(Name, 0, 4 * output.Count, 0, sizeof(float) * output.Count)))
        {
            device.Kernels<IRandomKernels>().Normal(stream, output);
        }

        return output.Retain();
    }
}

/// <summary>What a device does for <see cref="RandomNumbers"/>.</summary>
public interface IRandomKernels
{
    /// <summary>Element i is word <c>i % 4</c> of block <c>counter + i/4</c>, as a number in [0, 1).</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="output">Any shape, overwritten.</param>
    void Uniform(RandomStream stream, Tensor output);

    /// <summary>Elements 2i and 2i+1 come from words <c>2i % 4</c> and <c>2i % 4 + 1</c> of block <c>counter + i/2</c>.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="output">Any shape, overwritten.</param>
    void Normal(RandomStream stream, Tensor output);
}
