using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Engine.Devices;

/// <summary>What a device promises, on an emulated one and on a GPU where there is one.</summary>
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class CudaDeviceTests(string name)
{
    private CudaDevice Open() => (CudaDevice)TestDevice.Open(name);

    [Test]
    public void Elements_come_back_as_they_went()
    {
        using CudaDevice device = Open();
        using Tensor floats = device.From(new Shape(2, 3), (float[])[1, 2, 3, 4, 5, 6]);
        using Tensor integers = device.From(new Shape(3), (int[])[7, 8, 9]);
        using Tensor halves = device.Allocate(new Shape(2), ElementType.BFloat16);
        halves.CopyFrom<ushort>([0x3f80, 0x4000]);
        var backIntegers = new int[3];
        var backHalves = new ushort[2];
        integers.CopyTo<int>(backIntegers);
        halves.CopyTo<ushort>(backHalves);
        Assert.That(floats.ToArray(), Is.EqualTo((float[])[1, 2, 3, 4, 5, 6]));
        Assert.That(backIntegers, Is.EqualTo((int[])[7, 8, 9]));
        Assert.That(backHalves, Is.EqualTo((ushort[])[0x3f80, 0x4000]));
        using Tensor none = device.From(new Shape(0), (float[])[]);
        Assert.That(none.ToArray(), Is.Empty);
    }

    // On an emulated device only where the memory behind a block is the device's own, as on a GPU.
    [TestCase(4, false)]
    [TestCase(5, true)]
    [TestCase(8, true)]
    public void A_write_behind_a_block_is_told_when_the_block_is_given_back(int written, bool isTold)
    {
        CudaContext context = name == TestDevice.Cuda ? Cuda.CudaRequirements.RequireGpu() : CudaContext.Emulated();
        using var device = new CudaDevice(context) { GuardsMemory = true };
        using Tensor input = device.From(new Shape(8), (float[])[1, 2, 3, 4, 5, 6, 7, 8]);
        Tensor output = device.Allocate(new Shape(4));
        new CudaKernelFamily(device, KernelCatalog.Elementwise).Launch(
            ElementType.Float32, "silu_forward", 1, 256, new KernelArguments { input, output, (long)written });
        if (isTold)
            Assert.That(output.Dispose, Throws.TypeOf<CudaException>().With.Message.Contains("wrote 0 bytes behind the end of a block of 16 bytes"));
        else
            Assert.That(output.Dispose, Throws.Nothing);
    }

    // More than both halves of the buffer in which uploads travel, and the source changed at once.
    [Test]
    public void Uploads_of_any_size_take_the_elements_as_they_are_when_called()
    {
        using CudaDevice device = Open();
        float[] values = [.. Enumerable.Range(0, (5 << 20) + 3).Select(i => (float)i)];
        using Tensor large = device.Allocate(new Shape(values.Length));
        using Tensor small = device.Allocate(new Shape(3));
        large.CopyFrom<float>(values);
        small.CopyFrom<float>(values.AsSpan(5, 3));
        Array.Clear(values);
        Assert.That(small.ToArray(), Is.EqualTo((float[])[5, 6, 7]));
        float[] back = large.ToArray();
        for (int i = 0; i < back.Length; i++)
        {
            if (back[i] != i)
                Assert.Fail($"element {i} is {back[i]}");
        }
    }

    [Test]
    public void Tensors_are_copied_and_cleared_in_order()
    {
        using CudaDevice device = Open();
        using Tensor one = device.From(new Shape(4), (float[])[1, 2, 3, 4]);
        using Tensor two = device.Allocate(new Shape(4));
        device.Copy(one, two);
        device.Clear(one);
        Assert.That(two.ToArray(), Is.EqualTo((float[])[1, 2, 3, 4]));
        Assert.That(one.ToArray(), Is.All.Zero);
        using Tensor three = device.Allocate(new Shape(3));
        Assert.That(() => device.Copy(one, three), Throws.ArgumentException.With.Message.Contains("does not fit"));
    }

    [Test]
    public void Freed_memory_is_given_out_again_until_it_is_trimmed()
    {
        using CudaDevice device = Open();
        Tensor kept = device.From(new Shape(3), (float[])[1, 2, 3]);
        device.Allocate(new Shape(1000)).Dispose();
        long allocations = device.SystemAllocations;
        device.Allocate(new Shape(1000)).Dispose();
        device.Workspace(new Shape(10, 100)).Dispose();
        Assert.That(device.SystemAllocations, Is.EqualTo(allocations));
        device.Trim();
        device.Allocate(new Shape(1000)).Dispose();
        Assert.That(device.SystemAllocations, Is.EqualTo(allocations + 1));
        Assert.That(kept.ToArray(), Is.EqualTo((float[])[1, 2, 3]));
        kept.Dispose();
        Assert.That(device.Account.LiveBytes, Is.Zero);
        Assert.That(device.Account.PeakBytes, Is.EqualTo(4012));
    }

    [Test]
    public void More_memory_than_the_device_has_is_refused_in_a_sentence_and_the_device_goes_on()
    {
        using CudaDevice device = Open();
        using Tensor kept = device.From(new Shape(3), (float[])[1, 2, 3]);
        Shape tooLarge = new((int)(device.Context.Device.TotalMemory >> 20) + 1, 1 << 18);
        Assert.That(
            () => device.Allocate(tooLarge),
            Throws.TypeOf<SprintException>().With.Message.Match($"^{device.Name}: no memory for another [0-9.]+ MiB of activations: tensors hold 0 MiB, [0-9.]+ MiB of [0-9.]+ MiB are free: lower batch_size, raise gradient_accumulation_steps"));
        using Tensor sum = Addition.Apply(null, kept, kept);
        Assert.That(sum.ToArray(), Is.EqualTo((float[])[2, 4, 6]));
        Assert.That(device.Account.LiveBytes, Is.EqualTo(2 * 12));
    }

    [Test]
    public void A_disposed_device_refuses_to_read_a_tensor()
    {
        CudaDevice device = Open();
        Tensor tensor = device.From(new Shape(3), (float[])[1, 2, 3]);
        device.Dispose();
        Assert.That(device.Account.LiveBytes, Is.Zero);
        Assert.That(tensor.ToArray, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => device.Allocate(new Shape(3)), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(tensor.Dispose, Throws.Nothing);
        Assert.That(device.Dispose, Throws.Nothing);
    }

    [Test]
    public void Operations_without_kernels_say_so()
    {
        using CudaDevice device = Open();
        Assert.That(
            () => device.Kernels<IUnwrittenKernels>(),
            Throws.TypeOf<SprintException>().With.Message.EqualTo($"device {device.Name} has no implementation of IUnwrittenKernels"));
    }

    [Test]
    public void Tensors_of_whole_numbers_have_no_kernels()
    {
        using CudaDevice device = Open();
        CudaKernelFamily family = new(device, KernelCatalog.TokenDrop);
        Assert.That(() => family[ElementType.Int32, "tokens_locate"], Throws.TypeOf<SprintException>().With.Message.Contains("Int32"));
        Assert.That(() => family[ElementType.Float32, "absent"], Throws.InstanceOf<SprintException>().With.Message.Contains("absent"));
        CudaKernel kernel = family[ElementType.Float32, "tokens_locate"];
        Assert.That(family[ElementType.Float32, "tokens_locate"], Is.SameAs(kernel), "looked up once");
    }

    [TestCase(0, 128, 1)]
    [TestCase(128, 128, 1)]
    [TestCase(129, 128, 2)]
    [TestCase(1L << 38, 128, int.MaxValue)]
    public void Blocks_cover_what_there_is(long count, int perBlock, int expected)
    {
        if (expected == int.MaxValue)
            Assert.That(() => CudaKernelFamily.Blocks(count, perBlock), Throws.TypeOf<SprintException>());
        else
            Assert.That(CudaKernelFamily.Blocks(count, perBlock), Is.EqualTo(expected));
    }

    [Test]
    public void The_device_says_what_it_is()
    {
        using CudaDevice device = Open();
        Assert.That(device.Name, Is.EqualTo(name == TestDevice.Emulated ? "emulated" : "cuda:0"));
        Assert.That(device.Description, Does.Contain($"compute capability {device.Context.Device.ComputeCapability}").And.Contain("GiB"));
        Assert.That(device.Executes, Is.True);
    }

    private interface IUnwrittenKernels;
}

/// <summary>What an emulated device refuses where a GPU goes on with wrong numbers.</summary>
public sealed class EmulatedDeviceTests
{
    [Test]
    public void Memory_that_is_not_there_is_asked_for_in_one_clear_sentence([Values] MemoryCategory category)
    {
        using CudaDevice device = new(CudaContext.Emulated(memoryBytes: 1 << 20));
        using Tensor held = device.Allocate(new Shape(1 << 16));
        string purpose = category switch
        {
            MemoryCategory.Activation => "activations",
            MemoryCategory.Parameter => "parameters",
            MemoryCategory.Gradient => "gradients",
            MemoryCategory.Optimizer => "moments",
            _ => "workspace",
        };
        Assert.That(
            () => device.Allocate(new Shape(1 << 18), category: category),
            Throws.TypeOf<SprintException>()
                .With.Message.StartsWith("emulated: no memory for another 1 MiB of ")
                .And.Message.Contains(purpose)
                .And.Message.Contains("tensors hold 0.3 MiB, 0.8 MiB of 1 MiB are free: lower "));
        Assert.That(device.Account.LiveBytes, Is.EqualTo(1 << 18));
    }

    /// <summary>What a user is told to lower or set must be a key of the configuration.</summary>
    [Test]
    public void Settings_named_where_memory_is_exhausted_exist([Values] MemoryCategory category)
    {
        using CudaDevice device = new(CudaContext.Emulated(memoryBytes: 1 << 20));
        SprintException exhausted = Assert.Throws<SprintException>(() => device.Allocate(new Shape(1 << 20), category: category))!;
        string[] named = [.. System.Text.RegularExpressions.Regex.Matches(exhausted.Message, "[a-z]+(_[a-z]+)+").Select(static match => match.Value)];
        string[] keys = [.. new[] { typeof(StageConfiguration), typeof(ModelConfiguration) }.SelectMany(static type => type.GetProperties()).Select(static property => ConfigurationNames.SnakeCase(property.Name))];
        Assert.That(named, Is.Not.Empty);
        Assert.That(named, Is.SubsetOf(keys));
    }

    [Test]
    public void Spare_blocks_are_given_back_before_memory_is_said_to_be_exhausted()
    {
        using CudaDevice device = new(CudaContext.Emulated(memoryBytes: 1 << 20));
        device.Allocate(new Shape(1 << 17)).Dispose();
        using Tensor larger = device.Allocate(new Shape(1 << 18));
        Assert.That(larger.Count, Is.EqualTo(1 << 18));
    }

    [Test]
    public void Reading_what_no_operation_wrote_is_found_also_in_recycled_memory()
    {
        using CudaDevice device = CudaDevice.Emulated();
        device.From(new Shape(1, 4, 8), new float[32]).Dispose();
        using Tensor ids = device.From(new Shape(1, 2), (int[])[0, 1]);
        using Tensor unwritten = device.Allocate(new Shape(1, 4, 8));
        using Tensor gathered = TokenDrop.Gather(null, unwritten, ids);
        Assert.That(
            device.Synchronize,
            Throws.TypeOf<CudaException>().With.Message.Contains("tokens_gather_forward").And.Message.Contains("token_drop.cu:").And.Property("KernelName").EqualTo("tokens_gather_forward"));
    }

    [Test]
    public void An_id_beyond_the_tokens_is_found_and_the_device_can_be_disposed()
    {
        using CudaDevice device = CudaDevice.Emulated();
        using Tensor input = device.From(new Shape(1, 4, 8), new float[32]);
        using Tensor ids = device.From(new Shape(1, 2), (int[])[0, 4]);
        using Tensor gathered = TokenDrop.Gather(null, input, ids);
        Assert.That(() => gathered.ToArray(), Throws.TypeOf<CudaException>().With.Message.Contains("tokens_gather_forward").And.Property("IsContextLost").True);
        Assert.That(device.Dispose, Throws.Nothing);
    }

    [Test]
    public void Every_byte_behind_a_tensor_is_watched()
    {
        using CudaDevice device = CudaDevice.Emulated();
        using Tensor small = device.Allocate(new Shape(3));
        CudaKernelFamily family = new(device, static _ => KernelCatalog.Random);
        family.Launch(ElementType.Float32, "random_uniform", 1, 32, new KernelArguments { small, 4L, 1UL, 2UL, 3UL });
        Assert.That(device.Synchronize, Throws.TypeOf<CudaException>().With.Message.Contains("random_uniform"));
    }

    [Test]
    public void Each_launch_can_be_watched()
    {
        List<LaunchStatistics> launches = [];
        using CudaDevice device = new(CudaContext.Emulated(new EmulationOptions { Counters = true }, launches.Add));
        using Tensor uniforms = RandomNumbers.Uniform(device, new Shape(4096), new RandomStream(1, 2));
        device.Synchronize();
        Assert.That(launches.Single().Kernel, Is.EqualTo("random_uniform"));
        Assert.That(launches[0].Global.Written, Is.EqualTo(4 * 4096));
        Assert.That(launches[0].GlobalSectors, Is.EqualTo(4 * 4096 / 32));
    }
}
