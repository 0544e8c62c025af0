using System.Text;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Operations;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>Memory, streams, events, graphs, launches, and the kernels of kernels/random.cu.</summary>
public abstract class RuntimeConformance : DeviceConformance
{
    [Test]
    public void UniformNumbersAreThePublishedWordsOfPhilox()
    {
        using CudaModule module = Load(KernelCatalog.Random);
        using CudaDeviceVariable<float> output = Output<float>(7);
        CudaKernel kernel = module.GetKernel("random_uniform");
        kernel.Launch(Stream, 1, 32, new KernelArguments { output, 7L, 0UL, 0UL, 0UL });
        uint[] words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
        Assert.That(Download(output)[..4], Is.EqualTo(words.Select(static word => (word >> 8) * (1f / (1 << 24)))));
        kernel.Launch(Stream, 1, 32, new KernelArguments { output, 7L, 0x299f31d0a4093822UL, 0x0370734413198a2eUL, 0x85a308d3243f6a88UL });
        words = [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1];
        Assert.That(Download(output)[..4], Is.EqualTo(words.Select(static word => (word >> 8) * (1f / (1 << 24)))));
    }

    [TestCase(1)]
    [TestCase(1023)]
    [TestCase(4096)]
    public void NormalNumbersHaveTheBitsOfTheProcessor(int count)
    {
        using CudaModule module = Load(KernelCatalog.Random);
        using CudaDeviceVariable<float> output = Output<float>(count);
        module.GetKernel("random_normal").Launch(Stream, Blocks(count, 512), 128, new KernelArguments { output, (long)count, 5UL, 6UL, 7UL });
        float[] normal = Download(output);

        // Uniform numbers give back the words' upper 24 bits, which is all that a normal number depends on.
        using CudaDeviceVariable<float> uniforms = Output<float>(count + 3);
        module.GetKernel("random_uniform").Launch(Stream, Blocks(count + 3, 512), 128, new KernelArguments { uniforms, count + 3L, 5UL, 6UL, 7UL });
        uint[] words = [.. Download(uniforms).Select(static value => (uint)(value * (1 << 24)) << 8)];
        float[] expected = [.. Enumerable.Range(0, count).Select(i =>
        {
            (float first, float second) = ExactNormal.Pair(words[i & ~1], words[i | 1]);
            return i % 2 == 0 ? first : second;
        })];
        Assert.That(normal.Select(BitConverter.SingleToInt32Bits), Is.EqualTo(expected.Select(BitConverter.SingleToInt32Bits)));
    }

    [Test]
    public void CopiesAndFillsInAStreamKeepTheirOrder()
    {
        using CudaStream stream = new(Context);
        using CudaDeviceVariable<int> first = new(Context, 1000, stream);
        using CudaDeviceVariable<int> second = new(Context, 1000, stream);
        using CudaPinnedMemory<int> there = new(Context, 1000);
        using CudaPinnedMemory<int> back = new(Context, 1000);
        using CudaEvent start = new(Context);
        using CudaEvent end = new(Context);
        there.Span.Fill(41);
        start.Record(stream);
        first.Memset(0, stream);
        first.CopyToDeviceAsync(there, stream);
        second.CopyFrom(first, stream);
        first.Memset(0xff, stream);
        second.CopyToHostAsync(back, stream);
        end.Record(stream);
        end.Synchronize();
        Assert.That(end.IsReached, Is.True);
        Assert.That(CudaEvent.ElapsedMilliseconds(start, end), Is.GreaterThanOrEqualTo(0f));
        Assert.That(back.Span.ToArray(), Is.All.EqualTo(41));
        int[] overwritten = new int[1000];
        first.CopyToHost(overwritten, stream: stream);
        Assert.That(overwritten, Is.All.EqualTo(-1));
        Assert.That(stream.IsIdle, Is.True);
    }

    [Test]
    public void CapturedLaunchesRunOnlyWhenReplayed()
    {
        if (!Context.Driver.HasGraphs)
        {
            using CudaStream plain = new(Context);
            Assert.That(() => plain.Capture(static () => { }), Throws.InstanceOf<CudaException>().With.Message.Contains("has no graphs"));
            return;
        }

        using CudaModule module = Load(KernelCatalog.Random);
        using CudaStream stream = new(Context);
        using CudaDeviceVariable<float> output = Output<float>(64);
        CudaKernel kernel = module.GetKernel("random_uniform");
        using CudaGraph graph = stream.Capture(() => kernel.Launch(stream, 1, 32, new KernelArguments { output, 64L, 1UL, 2UL, 3UL }));
        stream.Synchronize();
        Assert.That(Download(output).Select(BitConverter.SingleToUInt32Bits), Is.All.EqualTo(0xa5a5a5a5u));
        using CudaGraphExecutable executable = graph.Instantiate();
        executable.Launch(stream);
        stream.Synchronize();
        float[] replayed = Download(output);
        kernel.Launch(stream, 1, 32, new KernelArguments { output, 64L, 1UL, 2UL, 3UL });
        stream.Synchronize();
        Assert.That(replayed, Is.EqualTo(Download(output)));
    }

    [Test]
    public void ParametersAttributesAndOccupancyAreKnown()
    {
        using CudaModule module = Load(KernelCatalog.Random);
        CudaKernel kernel = module.GetKernel("random_uniform");
        Assert.That(kernel.Parameters!.Select(static parameter => (parameter.Offset, parameter.Size)), Is.EqualTo(new[] { (0, 8), (8, 8), (16, 8), (24, 8), (32, 8) }));
        Assert.That(kernel.Attributes.Registers, Is.Positive);
        Assert.That(kernel.Attributes.MaximumThreadsPerBlock, Is.InRange(256, 1024));
        Assert.That(kernel.GetOccupancy(256).Fraction, Is.GreaterThan(0.0).And.LessThanOrEqualTo(1.0));
    }

    /// <summary>As the driver has loaded them for this very device, whichever compiler made them.</summary>
    [TestCaseSource(typeof(KernelCatalog), nameof(KernelCatalog.All))]
    public void NoKernelUsesAStackAndEachFitsAMultiprocessor(KernelSpecialization specialization)
    {
        using CudaModule module = Load(specialization);
        foreach (string entryPoint in specialization.EntryPoints)
        {
            CudaKernel kernel = module.GetKernel(entryPoint);
            Assert.That(kernel.Attributes.LocalBytes, Is.Zero, $"{entryPoint}: bytes of local memory a thread");
            Assert.That(kernel.GetOccupancy(Math.Min(128, kernel.Attributes.MaximumThreadsPerBlock)).Blocks, Is.Positive, $"{entryPoint}: resident blocks");
        }
    }

    [Test]
    public void AllBlocksOfACooperativeLaunchMeetAndMoreThanTheDeviceHoldsAreRefused()
    {
        using CudaModule module = Context.LoadModule(Encoding.UTF8.GetBytes(EmulatorHarness.Resource("cooperative")), "cooperative");
        CudaKernel kernel = module.GetKernel("grid_reverse");
        int resident = kernel.GetOccupancy(1024).Blocks * Context.Device.MultiprocessorCount;
        int[] numbers = [.. Enumerable.Range(0, (resident * 1024) + 7)];
        using CudaDeviceVariable<int> from = Upload(numbers);
        using CudaDeviceVariable<int> to = Output<int>(numbers.Length);
        kernel.Launch(Stream, resident, 1024, new KernelArguments { from, to, numbers.Length, 3 }, cooperative: true);
        Assert.That(Download(to), Is.EqualTo(numbers.Reverse().Select(static i => i + 3)));
        Assert.That(
            () => kernel.Launch(Stream, resident + 1, 1024, new KernelArguments { from, to, numbers.Length, 3 }, cooperative: true),
            Throws.InstanceOf<SprintException>().With.Message.Contains($"was launched cooperatively with {resident + 1} blocks, which must be resident at once; this device holds {resident}: "));
    }

    [Test]
    public void WrongLaunchesAreRefusedAndTheDeviceStaysUsable()
    {
        using CudaModule module = Load(KernelCatalog.Random);
        using CudaDeviceVariable<float> output = Output<float>(4);
        CudaKernel kernel = module.GetKernel("random_uniform");
        Assert.That(() => kernel.Launch(Stream, 1, 32, new KernelArguments { output, 4L }), Throws.InstanceOf<SprintException>().With.Message.Contains("takes 5 arguments but was given 2"));
        Assert.That(() => kernel.Launch(Stream, 1, 4096, new KernelArguments { output, 4L, 0UL, 0UL, 0UL }), Throws.InstanceOf<SprintException>().With.Message.Contains("4096 threads"));
        Assert.That(() => module.GetKernel("absent"), Throws.InstanceOf<SprintException>().With.Message.Contains("absent"));
        Assert.That(() => Context.LoadModule("no image"u8, "text"), Throws.InstanceOf<SprintException>().With.Message.Contains("text"));
        kernel.Launch(Stream, 1, 32, new KernelArguments { output, 4L, 0UL, 0UL, 0UL });
        Assert.That(Download(output)[0], Is.EqualTo(0x6627e8 * (1f / (1 << 24))));
    }
}
