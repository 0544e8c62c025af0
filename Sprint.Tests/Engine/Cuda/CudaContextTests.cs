using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class CudaContextTests
{
    [Test]
    public void EverythingIsFreedOnceAndTheContextLastInWhateverOrderItIsDisposed()
    {
        HostMemoryDriver driver = new();
        CudaContext context = new(driver, 0);
        CudaStream stream = new(context);
        IDisposable[] owned =
        [
            stream,
            context,
            new CudaEvent(context),
            new CudaDeviceVariable<float>(context, 5),
            new CudaDeviceVariable<float>(context, 5, stream),
            new CudaDeviceVariable<float>(context, 5, context.DefaultStream),
            new CudaPinnedMemory<int>(context, 3),
            context.LoadModule([1], "module"),
            stream.Capture(static () => { }),
        ];
        Assert.That(driver.Alive, Has.Count.EqualTo(owned.Length));
        foreach (IDisposable item in owned.Concat(owned))
        {
            item.Dispose();
        }

        Assert.That(driver.Alive, Is.Empty);
        Assert.That(HostMemoryDriver.PushedOnThisThread, Is.Zero);
        Assert.That(driver.Calls.Count(static call => call == "free in stream"), Is.EqualTo(2));
    }

    [Test]
    public void ForgottenObjectsAreFreedByTheGarbageCollector()
    {
        HostMemoryDriver driver = new();
        Forget(driver);
        for (int i = 0; i < 20 && driver.Alive.Count > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(driver.Alive, Is.Empty);
    }

    [Test]
    public void DisposedObjectsRefuseUse()
    {
        HostMemoryDriver driver = new();
        using CudaContext context = new(driver, 0);
        CudaDeviceVariable<float> variable = new(context, 4);
        CudaStream stream = new(context);
        variable.Dispose();
        stream.Dispose();
        Assert.That(() => variable.DevicePointer, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => variable.CopyToHost(new float[4]), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(stream.Synchronize, Throws.InstanceOf<ObjectDisposedException>());
        context.Dispose();
        Assert.That(context.Synchronize, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(HostMemoryDriver.PushedOnThisThread, Is.Zero);
    }

    [Test]
    public void StreamsOfAnotherContextAreRefusedByName()
    {
        using CudaContext context = new(new HostMemoryDriver(), 0);
        using CudaContext other = CudaContext.Emulated();
        using CudaStream foreign = new(other);
        using CudaDeviceVariable<float> variable = new(context, 4);
        using CudaPinnedMemory<float> pinned = new(context, 4);
        using CudaEvent mark = new(context);
        foreach (Action use in (Action[])
            [
                () => new CudaDeviceVariable<float>(context, 4, foreign).Dispose(),
                () => variable.CopyToDevice(new float[4], 0, foreign),
                () => variable.CopyToHost(new float[4], 0, foreign),
                () => variable.CopyToDeviceAsync(pinned, foreign),
                () => variable.CopyToHostAsync(pinned, foreign),
                () => variable.CopyFrom(variable, foreign),
                () => variable.Memset(0, foreign),
                () => mark.Record(foreign),
            ])
        {
            Assert.That(() => use(), Throws.InstanceOf<CudaException>().With.Message.Contains("was given to what belongs to another context"));
        }

        Assert.That(HostMemoryDriver.PushedOnThisThread, Is.Zero);
    }

    [Test]
    public void ContextIsCurrentDuringEveryCallFromAnyThread()
    {
        HostMemoryDriver driver = new();
        using CudaContext context = new(driver, 0);
        Parallel.For(0, 64, i =>
        {
            using CudaStream stream = new(context);
            using CudaDeviceVariable<int> variable = new(context, 100, i % 2 == 0 ? stream : null);
            int[] there = Enumerable.Repeat(i, 100).ToArray();
            int[] back = new int[100];
            variable.CopyToDevice(there, stream: stream);
            variable.CopyToHost(back, stream: stream);
            Assert.That(back, Is.EqualTo(there));
            Assert.That(HostMemoryDriver.PushedOnThisThread, Is.Zero);
        });
        Assert.That(driver.Alive, Is.EqualTo(new[] { "context" }));
    }

    [Test]
    public void CopiesReachTheGivenRangeAndNoFurther()
    {
        using CudaContext context = new(new HostMemoryDriver(), 0);
        using CudaDeviceVariable<short> variable = new(context, 6);
        variable.Memset(0xff);
        variable.CopyToDevice([1, 2], offset: 3);
        short[] all = new short[6];
        variable.CopyToHost(all);
        Assert.That(all, Is.EqualTo(new short[] { -1, -1, -1, 1, 2, -1 }));
        Assert.That(() => variable.CopyToDevice([1, 2], offset: 5), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("2 elements from element 5 on do not fit a device variable of 6"));
        Assert.That(() => variable.CopyToHost(new short[7]), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => variable.CopyToHost(new short[1], offset: -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => variable.CopyToHost(new short[1], offset: long.MaxValue), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new CudaDeviceVariable<short>(context, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void BlockingCopiesWaitForTheirStream()
    {
        HostMemoryDriver driver = new();
        using CudaContext context = new(driver, 0);
        using CudaDeviceVariable<byte> variable = new(context, 4);
        variable.CopyToDevice([1, 2, 3, 4]);
        Assert.That(driver.Calls.TakeLast(2), Is.EqualTo(new[] { "copy", "synchronize stream" }));
    }

    [Test]
    public void PinnedCopiesDoNotWait()
    {
        HostMemoryDriver driver = new();
        using CudaContext context = new(driver, 0);
        using CudaPinnedMemory<int> there = new(context, 3);
        using CudaPinnedMemory<int> back = new(context, 3);
        using CudaDeviceVariable<int> variable = new(context, 3);
        new[] { 5, 6, 7 }.CopyTo(there.Span);
        variable.CopyToDeviceAsync(there, context.DefaultStream);
        variable.CopyToHostAsync(back, context.DefaultStream);
        Assert.That(back.Span.ToArray(), Is.EqualTo(new[] { 5, 6, 7 }));
        Assert.That(driver.Calls, Does.Not.Contain("synchronize stream"));
    }

    [Test]
    public void PlainMemoryIsUsedWhereThereIsNoPool()
    {
        HostMemoryDriver driver = new() { HasMemoryPool = false };
        using CudaContext context = new(driver, 0);
        new CudaDeviceVariable<int>(context, 3, context.DefaultStream).Dispose();
        Assert.That(driver.Calls, Does.Not.Contain("free in stream"));
        Assert.That(driver.Alive, Is.EqualTo(new[] { "context" }));
    }

    [Test]
    public void CaptureEndsAlsoWhenWhatIsCapturedThrows()
    {
        HostMemoryDriver driver = new();
        using CudaContext context = new(driver, 0);
        using CudaStream stream = new(context);
        Assert.That(() => stream.Capture(static () => throw new InvalidOperationException("inside")), Throws.InvalidOperationException.With.Message.EqualTo("inside"));
        Assert.That(driver.Calls.TakeLast(2), Is.EqualTo(new[] { "begin capture", "end capture" }));
        Assert.That(driver.Alive, Is.EqualTo(new[] { "context", "stream" }));
        using CudaGraph graph = stream.Capture(static () => { });
        using CudaGraphExecutable executable = graph.Instantiate();
        executable.Launch(stream);
        Assert.That(driver.Calls[^1], Is.EqualTo("launch graph"));
    }

    [Test]
    public void CaptureIsRefusedWhereItCannotBe()
    {
        HostMemoryDriver driver = new();
        using CudaContext context = new(driver, 0);
        Assert.That(() => context.DefaultStream.Capture(static () => { }), Throws.InstanceOf<CudaException>().With.Message.Contains("default stream"));
        driver.HasGraphs = false;
        using CudaStream stream = new(context);
        Assert.That(() => stream.Capture(static () => { }), Throws.InstanceOf<CudaException>().With.Message.Contains("has no graphs"));
    }

    [Test]
    public void TimeNeedsEventsWithTiming()
    {
        using CudaContext context = new(new HostMemoryDriver(), 0);
        using CudaEvent start = new(context);
        using CudaEvent end = new(context);
        using CudaEvent untimed = new(context, timing: false);
        start.Record(context.DefaultStream);
        context.DefaultStream.WaitFor(start);
        Assert.That(CudaEvent.ElapsedMilliseconds(start, end), Is.EqualTo(1.5f));
        Assert.That(() => CudaEvent.ElapsedMilliseconds(start, untimed), Throws.InstanceOf<CudaException>().With.Message.Contains("without timing"));
    }

    private static void Forget(HostMemoryDriver driver)
    {
        CudaContext context = new(driver, 0);
        CudaStream stream = new(context);
        _ = new CudaDeviceVariable<float>(context, 7, stream);
        _ = new CudaEvent(context);
        _ = context.LoadModule([1], "module");
        Assert.That(driver.Alive, Has.Count.EqualTo(5));
    }
}
