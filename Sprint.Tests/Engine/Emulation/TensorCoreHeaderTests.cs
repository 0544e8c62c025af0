using System.Text;
using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Each wrapper of kernels/common/tensor_core.cuh, compiled by NVRTC, against the same done in C#.</summary>
public sealed class TensorCoreHeaderTests
{
    private static readonly string[] EntryPoints =
    [
        "product_along_depth", "product_along_columns", "matrices_load", "matrices_load_transposed", "copy_4", "copy_8", "copy_16",
        "copy_without_wait", "pack_and_unpack", "swizzle_read",
    ];

    private static EmulatorHarness Load(int chunks)
    {
        using TemporaryFolder folder = new();
        using (Stream source = typeof(TensorCoreHeaderTests).Assembly.GetManifestResourceStream("Kernels/tensor_core.cu")!)
        using (StreamReader reader = new(source))
            folder.Write("tensor_core.cu", reader.ReadToEnd());
        KernelLibrary library = new(new KernelLibraryOptions { UseCache = false, SourceFolder = folder.Path }, CudaRequirements.RequireNvrtc(), null);
        KernelSpecialization specialization = new("tensor_core.cu", EntryPoints, [new CudaMacro("TILE_CHUNKS", $"{chunks}")]);
        ReadOnlySpan<byte> ptx = library.Get(specialization, KernelLibrary.EmulatorTarget).Program.Image.Span;
        EmulatorHarness harness = new(Encoding.UTF8.GetString(ptx.TrimEnd((byte)0)), "tensor_core.ptx");
        harness.Options = harness.Options with { Counters = true };
        return harness;
    }

    private static ushort Narrow(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    /// <summary>Small whole numbers, exact in bfloat16 and in every sum.</summary>
    private static float[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-8, 9))];
    }

    [Test]
    public void Products_of_any_number_of_chunks_are_those_of_the_matrices([Values(1, 2, 4, 5, 8, 9)] int chunks, [Values] bool transposed)
    {
        using EmulatorHarness harness = Load(chunks);
        int depth = chunks * 8;
        float[] a = Numbers(16 * depth, 1), b = Numbers(8 * depth, 2);
        ulong target = harness.Reserve<float>(128);
        LaunchStatistics statistics = harness.Launch(
            transposed ? "product_along_columns" : "product_along_depth", new(1), new(32), 0,
            harness.Upload(Array.ConvertAll(a, Narrow)), harness.Upload(Array.ConvertAll(b, Narrow)), target);
        float[] expected = [.. Enumerable.Range(0, 128).Select(i =>
            Enumerable.Range(0, depth).Sum(k => a[(i / 8 * depth) + k] * b[transposed ? (k * 8) + (i % 8) : (i % 8 * depth) + k]))];
        Assert.That(harness.Download<float>(target, 128), Is.EqualTo(expected));
        Assert.That(statistics.SharedBankConflicts, Is.Zero);
        Assert.That(statistics.TensorFlops, Is.EqualTo(2 * 16 * 8 * depth));
    }

    [Test]
    public void Matrices_arrive_as_rows_or_transposed([Values] bool transposed)
    {
        using EmulatorHarness harness = Load(9);
        ushort[] elements = [.. Enumerable.Range(0, 256).Select(i => (ushort)(i * 251))];
        ulong target = harness.Reserve<uint>(128);
        harness.Launch(transposed ? "matrices_load_transposed" : "matrices_load", new(1), new(32), 0, harness.Upload(elements), target);
        ushort Element(int matrix, int row, int column) => elements[(matrix * 64) + (transposed ? (column * 8) + row : (row * 8) + column)];
        uint[] expected = [.. Enumerable.Range(0, 128).Select(i =>
            Element(i / 32, i % 32 / 4, i % 4 * 2) | ((uint)Element(i / 32, i % 32 / 4, (i % 4 * 2) + 1) << 16))];
        Assert.That(harness.Download<uint>(target, 128), Is.EqualTo(expected));
    }

    [Test]
    public void Copies_arrive_at_the_wait_and_are_zeros_where_invalid([Values(4, 8, 16)] int bytes, [Values(0, 1, 17, 32)] int valid)
    {
        using EmulatorHarness harness = Load(9);
        byte[] source = new byte[64 * bytes];
        new Random(bytes).NextBytes(source);
        ulong target = harness.Reserve<byte>(source.Length);
        harness.Launch($"copy_{bytes}", new(1), new(32), 0, harness.Upload(source), target, valid);
        byte[] expected = [.. source.Select((value, i) => i % (32 * bytes) < valid * bytes ? value : (byte)0)];
        Assert.That(harness.Download<byte>(target, source.Length), Is.EqualTo(expected));
    }

    [Test]
    public void A_copy_that_nobody_waited_for_is_found()
    {
        using EmulatorHarness harness = Load(9);
        EmulationException fault = harness.LaunchFault("copy_without_wait", new(1), new(32), 0, harness.Upload(new byte[512]), harness.Reserve<byte>(32));
        Assert.That(fault.Message, Does.Contain("copy_without_wait").And.Contain("tensor_core.cu"));
    }

    [Test]
    public void Packing_rounds_to_nearest_even_and_keeps_the_order()
    {
        using EmulatorHarness harness = Load(9);
        float[] values = [1f, -2f, 1.00390625f, 1.01171875f, 1.0039064f, 0f, -0f, float.MaxValue, float.PositiveInfinity, 1e-40f, .. Numbers(54, 3)];
        ulong packed = harness.Reserve<uint>(32), unpacked = harness.Reserve<float>(64);
        harness.Launch("pack_and_unpack", new(1), new(32), 0, harness.Upload(values), packed, unpacked);
        float[] rounded = Array.ConvertAll(values, static value =>
        {
            uint bits = BitConverter.SingleToUInt32Bits(value);
            return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
        });
        Assert.That(harness.Download<float>(unpacked, 64), Is.EqualTo(rounded));
        Assert.That(harness.Download<uint>(packed, 32), Is.EqualTo(Enumerable.Range(0, 32).Select(i => Narrow(rounded[2 * i]) | ((uint)Narrow(rounded[(2 * i) + 1]) << 16))));
    }

    [Test]
    public void Swizzled_rows_and_chunks_meet_in_no_bank([Range(1, 18)] int chunks)
    {
        using EmulatorHarness harness = Load(chunks);
        ulong target = harness.Reserve<UInt128>(32 * chunks);
        LaunchStatistics statistics = harness.Launch("swizzle_read", new(1), new(32), 0, target);
        Assert.That(
            harness.Download<int>(target, 32 * chunks * 4),
            Is.EqualTo(Enumerable.Range(0, 32 * chunks).SelectMany(i => Enumerable.Repeat((i % 32 * chunks) + (i / 32), 4))));
        Assert.That(statistics.SharedRequests, Is.EqualTo(2 * chunks));
        Assert.That(statistics.SharedBankConflicts, Is.Zero);
    }
}
