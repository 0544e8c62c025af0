using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Engine.Devices;

/// <summary>A CUDA device whose driver has no more of something: what was had is given back, and the device goes on once there is more.</summary>
[TestFixture]
public sealed class ExhaustedDriverTests
{
    private static readonly Shape Small = new(1000), Large = new(100_000);

    [Test]
    public void Memory_that_is_missing_while_work_is_captured_lets_the_work_run_piece_by_piece()
    {
        HostMemoryDriver driver = new();
        using CudaDevice device = new(new CudaContext(driver, 0));
        int runs = 0, undone = 0;
        using ReplayedWork work = device.Replay(
            () =>
            {
                // The third run is the first that needs a large block.
                using Tensor own = device.Allocate(++runs < 3 ? Small : Large);
            },
            () =>
            {
                undone++;
                driver.Exhausted = null;
            });
        work.Run();
        work.Run();
        driver.Exhausted = "memory";
        work.Run();
        Assert.That((runs, undone, work.Captures), Is.EqualTo((4, 1, 0)));
        Assert.That(work.Problem, Does.StartWith("cuda:0: no memory for another 0.4 MiB of activations: "));
        work.Run();
        Assert.That((runs, device.Account.LiveBytes), Is.EqualTo((5, 0L)));
    }

    [Test]
    public void Memory_that_is_missing_also_without_a_capture_is_told_in_the_sentence_that_says_what_to_lower()
    {
        HostMemoryDriver driver = new();
        using CudaDevice device = new(new CudaContext(driver, 0));
        int runs = 0;
        using ReplayedWork work = device.Replay(
            () =>
            {
                using Tensor own = device.Allocate(++runs < 3 ? Small : Large);
            },
            static () => { });
        work.Run();
        work.Run();
        driver.Exhausted = "memory";
        Assert.That(work.Run, Throws.TypeOf<SprintException>().With.Message.Contains("lower batch_size"));
        Assert.That(driver.Alive, Does.Not.Contain("memory"), "what the work had kept for itself was given up before");
        Assert.That(driver.Alive, Does.Not.Contain("graph"));
    }

    [Test]
    public void A_device_that_cannot_have_a_stream_lets_go_of_its_context()
    {
        HostMemoryDriver driver = new() { Exhausted = "stream" };
        Assert.That(() => new CudaDevice(new CudaContext(driver, 0)), Throws.TypeOf<CudaException>().With.Message.EqualTo("There is no stream left."));
        Assert.That(driver.Alive, Is.Empty);
    }

    [TestCase("pinned")]
    [TestCase("event")]
    public void An_upload_that_cannot_begin_leaves_nothing_behind(string kind)
    {
        HostMemoryDriver driver = new();
        using CudaDevice device = new(new CudaContext(driver, 0));
        using Tensor tensor = device.Allocate(Small);
        string[] before = [.. driver.Alive];
        driver.Exhausted = kind;
        Assert.That(() => tensor.CopyFrom<float>(new float[1000]), Throws.InstanceOf<CudaException>());
        Assert.That(driver.Alive, Is.EqualTo(before));
        driver.Exhausted = null;
        tensor.CopyFrom<float>([.. Enumerable.Range(0, 1000).Select(static i => (float)i)]);
        Assert.That(tensor.ToArray()[999], Is.EqualTo(999f));
    }

    [Test]
    public void What_the_device_owns_and_gives_up_is_not_kept()
    {
        HostMemoryDriver driver = new();
        using CudaDevice device = new(new CudaContext(driver, 0));
        string[] before = [.. driver.Alive];
        (WeakReference given, WeakReference kept) = Own(device);
        GC.Collect();
        Assert.That(driver.Alive, Is.EquivalentTo(before.Append("memory")));
        Assert.That((given.IsAlive, kept.IsAlive), Is.EqualTo((false, true)));
    }

    /// <summary>What is missing when cuBLAS is opened, its workspace, may be there for the next product.</summary>
    [Test]
    public void A_failure_to_open_cuBLAS_is_not_remembered()
    {
        using CudaDevice device = CudaDevice.Emulated();
        ColumnMajorCublas library = new();
        int opened = 0;
        CudaMatrixProduct product = new(device, () => ++opened == 1 ? throw new CudaException("no memory for the workspace") : new CudaBlas(device.Context, library));
        MatrixProductArguments arguments = MatrixProductArguments.Dense(MatrixProductForm.Forward, 1024, 512, 256);
        Assert.That(() => product.Multiply(MatrixProductForm.Forward, ElementType.BFloat16, arguments), Throws.TypeOf<CudaException>().With.Message.Contains("workspace"));
        product.Multiply(MatrixProductForm.Forward, ElementType.BFloat16, arguments);
        product.Multiply(MatrixProductForm.Forward, ElementType.BFloat16, arguments);
        Assert.That(opened, Is.EqualTo(2));
        Assert.That(library.LastCall, Is.Not.Empty);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static (WeakReference Given, WeakReference Kept) Own(CudaDevice device)
    {
        CudaDeviceVariable<int> given = device.Own(new CudaDeviceVariable<int>(device.Context, 10)), kept = device.Own(new CudaDeviceVariable<int>(device.Context, 10));
        device.Disown(given);
        return (new WeakReference(given), new WeakReference(kept));
    }
}
