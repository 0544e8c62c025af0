using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>The kernels of kernels/token_drop.cu against plain loops.</summary>
public abstract class TokenDropConformance : DeviceConformance
{
    private const int Batch = 3;

    [TestCase(8, 8, 2, 1)]
    [TestCase(8, 12, 4, 6)]
    [TestCase(6, 3, 3, 9)]
    public void StructuredIdsAreTheLargestUniformsOfEachGroup(int height, int width, int groupSize, int kept)
    {
        int tokens = groupSize * groupSize;
        int groups = height * width / tokens;
        float[] values = [.. Numbers(1, Batch * height * width).Select(static value => MathF.Floor(value * 8))];
        using CudaModule module = Load(KernelCatalog.TokenDrop(KernelCatalog.FloatElement));
        using CudaDeviceVariable<float> uniforms = Upload(values);
        using CudaDeviceVariable<int> ids = Output<int>(Batch * groups * kept);
        module.GetKernel("tokens_select_structured").Launch(
            Stream, Blocks(values.Length, 64), 64, new KernelArguments { uniforms, ids, (long)values.Length, groupSize, kept, height, width });
        int[] expected = [.. Enumerable.Range(0, Batch * groups).SelectMany(group => Enumerable.Range(0, tokens)
            .OrderByDescending(index => values[(group * tokens) + index])
            .Take(kept)
            .Select(index => TokenOf(group % groups, index, groupSize, width)))];
        Assert.That(Download(ids), Is.EqualTo(expected));
    }

    [Test]
    public void SampledIdsAreTheIdsSelectedFromDrawnUniforms()
    {
        const int Height = 8, Width = 8, GroupSize = 4, Kept = 6, Count = Batch * Height * Width;
        using CudaModule random = Load(KernelCatalog.Random);
        using CudaModule module = Load(KernelCatalog.TokenDrop(KernelCatalog.FloatElement));
        using CudaDeviceVariable<float> uniforms = Output<float>(Count);
        using CudaDeviceVariable<int> selected = Output<int>(Batch * 4 * Kept);
        using CudaDeviceVariable<int> sampled = Output<int>(Batch * 4 * Kept);
        random.GetKernel("random_uniform").Launch(Stream, 1, 64, new KernelArguments { uniforms, (long)Count, 11UL, 12UL, 13UL });
        module.GetKernel("tokens_select_structured").Launch(Stream, Blocks(Count, 64), 64, new KernelArguments { uniforms, selected, (long)Count, GroupSize, Kept, Height, Width });
        module.GetKernel("tokens_sample_structured").Launch(Stream, Blocks(Count, 64), 64, new KernelArguments { sampled, (long)Count, GroupSize, Kept, Height, Width, 11UL, 12UL, 13UL });
        Assert.That(Download(sampled), Is.EqualTo(Download(selected)));
    }

    [TestCase(1, 1)]
    [TestCase(113, 28)]
    [TestCase(600, 599)]
    public void RandomIdsAreTheSmallestUniforms(int tokens, int kept)
    {
        float[] values = [.. Numbers(2, Batch * tokens).Select(static value => MathF.Floor(value * 64))];
        using CudaModule module = Load(KernelCatalog.TokenDrop(KernelCatalog.FloatElement));
        using CudaDeviceVariable<float> uniforms = Upload(values);
        using CudaDeviceVariable<int> ids = Output<int>(Batch * kept);
        module.GetKernel("tokens_select_random").Launch(Stream, (Batch, Blocks(tokens, 256)), 256, new KernelArguments { uniforms, ids, tokens, kept });
        Assert.That(Download(ids), Is.EqualTo(Enumerable.Range(0, Batch).SelectMany(sample => Enumerable.Range(0, tokens).OrderBy(token => values[(sample * tokens) + token]).Take(kept))));
    }

    [Test]
    public void RowsMoveThereAndBackAtAnyWidth([Values(1, 7, 36, 72)] int width, [Values(KernelCatalog.FloatElement, KernelCatalog.BFloat16Element)] string element)
    {
        const int Tokens = 20, Kept = 5;
        int[] ids = [3, 0, 19, 7, 8, 1, 2, 3, 4, 5, 19, 18, 17, 16, 15];
        int[] drop = [0, 1, 0];
        int[] rows = Locate(ids, drop, Tokens, Kept);
        using Element io = new(this, element, width);
        using CudaDeviceVariable<int> deviceIds = Upload(ids);
        using CudaDeviceVariable<int> deviceDrop = Upload(drop);
        using CudaDeviceVariable<int> deviceRows = Output<int>(Batch * Tokens);
        io.Module.GetKernel("tokens_locate").Launch(Stream, Batch, 64, new KernelArguments { deviceIds, deviceDrop, deviceRows, Tokens, Kept });
        Assert.That(Download(deviceRows), Is.EqualTo(rows));
        io.Module.GetKernel("tokens_locate").Launch(Stream, Batch, 64, new KernelArguments { DevicePointer.Null, deviceDrop, deviceRows, Tokens, Tokens });
        Assert.That(Download(deviceRows), Is.EqualTo(Enumerable.Range(0, Batch * Tokens).Select(n => drop[n / Tokens] == 0 ? n : -1)));
        deviceRows.CopyToDevice(rows);

        float[] full = io.Values(3, Batch * Tokens), sparse = io.Values(4, Batch * Kept), fill = io.Values(5, 1);
        Dim3 block = (8, 16);
        float[] Row(float[] source, int row) => source[(row * width)..((row + 1) * width)];
        int KeptToken(int row) => (row / Kept * Tokens) + ids[row];

        Assert.That(
            io.Run("tokens_gather_forward", Blocks(Batch * Kept, 16), block, null, Batch * Kept, output => new KernelArguments { io.Upload(full), deviceIds, output, (long)Batch * Kept, Tokens, Kept, width }),
            Is.EqualTo(Enumerable.Range(0, Batch * Kept).SelectMany(row => Row(full, KeptToken(row)))));
        Assert.That(
            io.Run("tokens_scatter_forward", Blocks(Batch * Tokens, 16), block, null, Batch * Tokens, output => new KernelArguments { io.Upload(sparse), deviceRows, io.Upload(fill), output, (long)Batch * Tokens, width }),
            Is.EqualTo(rows.SelectMany(row => row < 0 ? fill : Row(sparse, row))));

        float[] sum = (float[])full.Clone();
        for (int i = 0; i < sparse.Length; i++)
        {
            sum[(KeptToken(i / width) * width) + (i % width)] += sparse[i];
        }

        Assert.That(
            io.Run("tokens_gather_backward", Blocks(Batch * Kept, 16), block, full, Batch * Tokens, output => new KernelArguments { io.Upload(sparse), deviceIds, output, (long)Batch * Kept, Tokens, Kept, width }),
            Is.EqualTo(sum));

        sum = (float[])sparse.Clone();
        float[] fillSum = (float[])fill.Clone();
        for (int i = 0; i < full.Length; i++)
        {
            int row = rows[i / width];
            (row < 0 ? fillSum : sum)[(Math.Max(row, 0) * width) + (i % width)] += full[i];
        }

        Assert.That(
            io.Run("tokens_scatter_backward_input", Blocks(Batch * Tokens, 16), block, sparse, Batch * Kept, output => new KernelArguments { io.Upload(full), deviceRows, output, (long)Batch * Tokens, width }),
            Is.EqualTo(sum));
        using CudaDeviceVariable<float> partial = Output<float>(4 * width);
        io.Module.GetKernel("tokens_scatter_backward_fill").Launch(Stream, (Blocks(width, 64), 4), 64, new KernelArguments { io.Upload(full), deviceRows, partial, (long)Batch * Tokens, width });
        Assert.That(
            io.Run("tokens_scatter_backward_fill_reduce", Blocks(width, 64), 64, fill, 1, output => new KernelArguments { partial, output, 4, width }),
            Is.EqualTo(fillSum));
        Download(partial);
    }

    private static int TokenOf(int group, int index, int groupSize, int width)
    {
        int across = width / groupSize;
        return (((group / across * groupSize) + (index / groupSize)) * width) + (group % across * groupSize) + (index % groupSize);
    }

    private static int[] Locate(int[] ids, int[] drop, int tokens, int kept)
    {
        int[] rows = new int[drop.Length * tokens];
        Array.Fill(rows, -1);
        for (int row = 0; row < ids.Length; row++)
        {
            if (drop[row / kept] == 0)
            {
                rows[(row / kept * tokens) + ids[row]] = row;
            }
        }

        return rows;
    }

    /// <summary>Moves small whole numbers, exact in both element types and in their sums, in and out of the device.</summary>
    private sealed class Element(TokenDropConformance test, string element, int width) : IDisposable
    {
        private readonly List<IDisposable> owned = [];

        public CudaModule Module { get; } = test.Load(KernelCatalog.TokenDrop(element));

        private bool IsNarrow => element == KernelCatalog.BFloat16Element;

        public float[] Values(int seed, int rows) => [.. Numbers(seed, rows * width).Select(static value => MathF.Round(value * 4))];

        public DevicePointer Upload(float[] values)
        {
            if (IsNarrow)
            {
                CudaDeviceVariable<ushort> variable = test.Upload(values.Select(static value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)).ToArray());
                owned.Add(variable);
                return variable.DevicePointer;
            }

            CudaDeviceVariable<float> wide = test.Upload(values);
            owned.Add(wide);
            return wide.DevicePointer;
        }

        public delegate KernelArguments Arguments(DevicePointer output);

        public float[] Run(string kernel, Dim3 grid, Dim3 block, float[]? before, int rows, Arguments arguments)
        {
            int count = rows * width;
            if (IsNarrow)
            {
                using CudaDeviceVariable<ushort> output = test.Output<ushort>(count);
                output.CopyToDevice(before?.Select(static value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)).ToArray() ?? []);
                Module.GetKernel(kernel).Launch(test.Stream, grid, block, arguments(output.DevicePointer));
                return [.. Download(output).Select(static bits => BitConverter.UInt32BitsToSingle((uint)bits << 16))];
            }

            using CudaDeviceVariable<float> wide = test.Output<float>(count);
            wide.CopyToDevice(before ?? []);
            Module.GetKernel(kernel).Launch(test.Stream, grid, block, arguments(wide.DevicePointer));
            return Download(wide);
        }

        public void Dispose()
        {
            owned.ForEach(static item => item.Dispose());
            Module.Dispose();
        }
    }
}
