namespace Sprint.Engine.Operations;

/// <summary>Fills tensors with numbers of a <see cref="RandomStream"/>.</summary>
public static class RandomNumbers
{
    private const string Name = "random";
    private const int Words = 4;

    /// <summary>Uniform numbers in [0, 1), multiples of 2^-24.</summary>
    /// <param name="device">Where to.</param>
    /// <param name="shape">How many.</param>
    /// <param name="stream">Which.</param>
    /// <param name="first">Which element of the stream is the first, from 0: a part of a larger fill has the numbers of that fill.</param>
    /// <returns>A float32 tensor, which the caller disposes.</returns>
    public static Tensor Uniform(Device device, Shape shape, RandomStream stream, long first = 0) => Fill(device, shape, stream, first, normal: false);

    /// <summary>Standard normal numbers: each two words of the stream give two.</summary>
    /// <param name="device">Where to.</param>
    /// <param name="shape">How many.</param>
    /// <param name="stream">Which.</param>
    /// <param name="first">Which element of the stream is the first, from 0: a part of a larger fill has the numbers of that fill.</param>
    /// <returns>A float32 tensor, which the caller disposes.</returns>
    public static Tensor Normal(Device device, Shape shape, RandomStream stream, long first = 0) => Fill(device, shape, stream, first, normal: true);

    private static Tensor Fill(Device device, Shape shape, RandomStream stream, long first, bool normal)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        using Tensor output = device.Allocate(shape);
        long flops = (normal ? 4 : 1) * output.Count;
        if (device.Dispatch(new OperationCost(Name, 0, flops, 0, output.Bytes)))
        {
            if (first % Words != 0)
            {
                // Kernels begin at whole blocks. What begins within one, as micro-batches of images of an odd size do, the host draws.
                output.CopyFrom<float>(Draw(stream, first, checked((int)output.Count), normal));
            }
            else if (normal)
            {
                device.Kernels<IRandomKernels>().Normal(stream with { Counter = stream.Counter + (ulong)(first / Words) }, output);
            }
            else
            {
                device.Kernels<IRandomKernels>().Uniform(stream with { Counter = stream.Counter + (ulong)(first / Words) }, output);
            }
        }

        return output.Retain();
    }

    private static float[] Draw(RandomStream stream, long first, int count, bool normal)
    {
        var values = new float[count];
        Span<float> four = stackalloc float[Words];
        for (long block = first / Words; block * Words < first + count; block++)
        {
            (uint word0, uint word1, uint word2, uint word3) = Philox.Block(stream.Seed, stream.Stream, stream.Counter + (ulong)block);
            if (normal)
            {
                (four[0], four[1]) = Philox.Normal(word0, word1);
                (four[2], four[3]) = Philox.Normal(word2, word3);
            }
            else
            {
                (four[0], four[1]) = (Philox.Uniform(word0), Philox.Uniform(word1));
                (four[2], four[3]) = (Philox.Uniform(word2), Philox.Uniform(word3));
            }

            for (int word = 0; word < Words; word++)
            {
                long place = (block * Words) + word - first;
                if (place >= 0 && place < count)
                {
                    values[place] = four[word];
                }
            }
        }

        return values;
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
