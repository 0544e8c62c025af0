using System.Runtime.InteropServices;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class CudaKernelTests
{
    private static readonly KernelParameter[] Declared =
    [
        new(0, 8, KernelParameterKind.IntegerOrPointer),
        new(8, 4, KernelParameterKind.FloatingPoint),
        new(16, 8, KernelParameterKind.IntegerOrPointer),
        new(24, 12, KernelParameterKind.Bytes),
    ];

    [Test]
    public void ArgumentsLieAtTheirNaturalAlignment()
    {
        KernelArguments arguments = new() { new DevicePointer(0x1122334455667788), true, 2.5f, 3L, new Triple(1, 2, 3), (short)-1, (byte)9, 7.0 };
        Assert.That(
            arguments.Parameters.ToArray().Select(static parameter => (parameter.Offset, parameter.Size)),
            Is.EqualTo(new[] { (0, 8), (8, 1), (12, 4), (16, 8), (24, 12), (36, 2), (38, 1), (40, 8) }));
        Assert.That(arguments.Bytes.Length, Is.EqualTo(48));
        Assert.That(MemoryMarshal.Read<ulong>(arguments.Bytes), Is.EqualTo(0x1122334455667788));
        Assert.That(arguments.Bytes[8], Is.EqualTo(1));
        Assert.That(MemoryMarshal.Read<float>(arguments.Bytes[12..]), Is.EqualTo(2.5f));
        Assert.That(MemoryMarshal.Read<Triple>(arguments.Bytes[24..]), Is.EqualTo(new Triple(1, 2, 3)));
        Assert.That(MemoryMarshal.Read<double>(arguments.Bytes[40..]), Is.EqualTo(7.0));
        Assert.That(arguments.Bytes[9..12].ToArray(), Is.All.Zero, "padding");
    }

    [Test]
    public void TooManyArgumentsAreRefused()
    {
        Assert.That(
            static () =>
            {
                KernelArguments arguments = default;
                for (int i = 0; i < 65; i++)
                {
                    arguments.Add(i);
                }
            },
            Throws.InstanceOf<SprintException>().With.Message.Contains("at most 64 arguments"));
        Assert.That(
            static () =>
            {
                KernelArguments arguments = default;
                for (int i = 0; i < 17; i++)
                {
                    arguments.Add(default(Large));
                }
            },
            Throws.InstanceOf<SprintException>().With.Message.Contains("4096 bytes"));
    }

    [Test]
    public void LaunchHandsTheArgumentBlockToTheDriver()
    {
        (HostMemoryDriver driver, CudaKernel kernel) = Create(Declared);
        using CudaDeviceVariable<float> variable = new(kernel.Module.Context, 2);
        kernel.Launch(kernel.Module.Context.DefaultStream, (3, 2), (32, 4), new KernelArguments { variable, 0.5f, 9UL, new Triple(1, 2, 3) }, 100);
        Assert.That(driver.Calls[^1], Is.EqualTo("launch work 3x2x1 32x4x1 100"));
        Assert.That(driver.LaunchedArguments, Has.Length.EqualTo(36));
        Assert.That(MemoryMarshal.Read<ulong>(driver.LaunchedArguments), Is.EqualTo(variable.DevicePointer.Address));
    }

    [Test]
    public void WarmLaunchesAllocateNothing()
    {
        (HostMemoryDriver driver, CudaKernel kernel) = Create(Declared);
        driver.IsQuiet = true;
        CudaStream stream = kernel.Module.Context.DefaultStream;
        void Launch() => kernel.Launch(stream, 1, 32, new KernelArguments { DevicePointer.Null, 0.5f, 9UL, new Triple(1, 2, 3) });
        for (int i = 0; i < 100; i++)
        {
            Launch();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Launch();
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void WrongArgumentsAreNamedBeforeTheDriverSeesThem()
    {
        (HostMemoryDriver driver, CudaKernel kernel) = Create(Declared);
        CudaStream stream = kernel.Module.Context.DefaultStream;
        Assert.That(
            () => kernel.Launch(stream, 1, 32, new KernelArguments { DevicePointer.Null }),
            Throws.InstanceOf<CudaException>().With.Message.EqualTo("Kernel work takes 4 arguments but was given 1."));
        Assert.That(
            () => kernel.Launch(stream, 1, 32, new KernelArguments { DevicePointer.Null, 1.0, 9UL, new Triple(1, 2, 3) }),
            Throws.InstanceOf<CudaException>().With.Message.EqualTo("Kernel work takes 4 bytes (floating point) as argument 1 but was given 8 bytes (floating point)."));
        Assert.That(
            () => kernel.Launch(stream, 1, 32, new KernelArguments { DevicePointer.Null, 1, 9UL, new Triple(1, 2, 3) }),
            Throws.InstanceOf<CudaException>().With.Message.Contains("was given 4 bytes (integer or pointer)"));
        Assert.That(driver.Calls, Has.None.StartsWith("launch"));
    }

    [Test]
    public void MisalignedStructureIsNamed()
    {
        (_, CudaKernel kernel) = Create([new(0, 4, KernelParameterKind.IntegerOrPointer), new(16, 12, KernelParameterKind.Bytes)]);
        Assert.That(
            () => kernel.Launch(kernel.Module.Context.DefaultStream, 1, 32, new KernelArguments { 1, new Triple(1, 2, 3) }),
            Throws.InstanceOf<CudaException>().With.Message.Contains("parameter 1 at byte 16 but the argument is aligned to byte 4"));
    }

    [Test]
    public void ExtentsBeyondTheDeviceAreNamed()
    {
        (HostMemoryDriver driver, CudaKernel kernel) = Create(null);
        CudaStream stream = kernel.Module.Context.DefaultStream;
        Assert.That(() => kernel.Launch(stream, 0, 32, default), Throws.InstanceOf<CudaException>().With.Message.Contains("grid of 0x1x1"));
        Assert.That(() => kernel.Launch(stream, (1, 70000), 32, default), Throws.InstanceOf<CudaException>().With.Message.Contains("grid of 1x70000x1"));
        CudaException tooLarge = Assert.Throws<CudaException>(() => kernel.Launch(stream, 1, (32, 17), default))!;
        Assert.That(tooLarge.Message, Does.Contain("block of 32x17x1 = 544 threads").And.Contain("40 registers").And.Contain("512 threads"));
        Assert.That((tooLarge.KernelName, tooLarge.Grid, tooLarge.Block), Is.EqualTo(("work", (Dim3?)1, (Dim3?)(32, 17))));
        Assert.That(() => kernel.Launch(stream, 1, (1, 1, 65), default), Throws.InstanceOf<CudaException>().With.Message.Contains("block of 1x1x65"));
        Assert.That(driver.Calls, Has.None.StartsWith("launch"));
    }

    [Test]
    public void LargeDynamicSharedMemoryIsAskedForOnceAndNoMoreThanTheDeviceHas()
    {
        (HostMemoryDriver driver, CudaKernel kernel) = Create(null);
        CudaStream stream = kernel.Module.Context.DefaultStream;
        kernel.Launch(stream, 1, 32, default, 47 * 1024);
        Assert.That(driver.Calls, Has.None.StartsWith("MaximumDynamicSharedBytes"));
        kernel.Launch(stream, 1, 32, default, 100_000);
        kernel.Launch(stream, 1, 32, default, 90_000);
        Assert.That(driver.Calls.Count(static call => call == "MaximumDynamicSharedBytes = 100000"), Is.EqualTo(1));
        Assert.That(
            () => kernel.Launch(stream, 1, 32, default, 163 * 1024),
            Throws.InstanceOf<CudaException>().With.Message.Contains("beside its 1024 static bytes this device has 165888"));
    }

    [Test]
    public void FailedLaunchLeavesNoContextBehind()
    {
        (HostMemoryDriver driver, CudaKernel kernel) = Create(null);
        driver.NextLaunchFailure = new CudaException("failed");
        Assert.That(() => kernel.Launch(kernel.Module.Context.DefaultStream, 1, 32, default), Throws.InstanceOf<CudaException>());
        Assert.That(HostMemoryDriver.PushedOnThisThread, Is.Zero);
    }

    [Test]
    public void FailureThatShowsOnlyLaterNamesTheLastKernelOfTheStream()
    {
        (HostMemoryDriver driver, CudaKernel kernel) = Create(null);
        CudaStream stream = kernel.Module.Context.DefaultStream;
        kernel.Launch(stream, 7, 64, default);
        driver.NextSynchronizationFailure = new CudaException("cuStreamSynchronize failed.") { ErrorCode = 700, IsContextLost = true };
        CudaException failure = Assert.Throws<CudaException>(stream.Synchronize)!;
        Assert.That(failure.Message, Is.EqualTo("cuStreamSynchronize failed. The last kernel put into this stream was work, grid 7x1x1, block 64x1x1."));
        Assert.That((failure.ErrorCode, failure.IsContextLost, failure.KernelName), Is.EqualTo((700, true, "work")));
        driver.NextSynchronizationFailure = new CudaException("cuStreamSynchronize failed.");
        using CudaDeviceVariable<int> variable = new(kernel.Module.Context, 1);
        Assert.That(() => variable.CopyToHost(new int[1]), Throws.InstanceOf<CudaException>().With.Message.Contains("was work, grid 7x1x1"));
        Assert.That(HostMemoryDriver.PushedOnThisThread, Is.Zero);
    }

    [Test]
    public void KernelOfAnUnloadedModuleAndForeignStreamsAreRefused()
    {
        (_, CudaKernel kernel) = Create(null);
        using CudaContext other = new(new HostMemoryDriver(), 0);
        Assert.That(() => kernel.Launch(other.DefaultStream, 1, 32, default), Throws.InstanceOf<CudaException>().With.Message.Contains("another context"));
        CudaStream stream = kernel.Module.Context.DefaultStream;
        kernel.Module.Dispose();
        Assert.That(() => kernel.Launch(stream, 1, 32, default), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void OccupancyIsWarpsOverPossibleWarps()
    {
        (_, CudaKernel kernel) = Create(null);
        Assert.That(kernel.GetOccupancy((33, 2)), Is.EqualTo(new CudaOccupancy(5, 15, 64)));
        Assert.That(new CudaOccupancy(5, 16, 64).Fraction, Is.EqualTo(0.25));
        kernel.Module.Dispose();
        Assert.That(() => kernel.GetOccupancy(64), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void ModuleVariablesAreFoundByName()
    {
        (_, CudaKernel kernel) = Create(null);
        Assert.That(kernel.Module.GetGlobal("present"), Is.EqualTo((new DevicePointer(64), 16L)));
        Assert.That(() => kernel.Module.GetGlobal("absent"), Throws.InstanceOf<CudaException>().With.Message.Contains("has no __device__ or __constant__ variable absent"));
    }

    private static (HostMemoryDriver Driver, CudaKernel Kernel) Create(KernelParameter[]? parameters)
    {
        HostMemoryDriver driver = new() { Parameters = parameters };
        return (driver, new CudaContext(driver, 0).LoadModule([1], "module").GetKernel("work"));
    }

    private readonly record struct Triple(float A, float B, float C);

    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private readonly struct Large;
}
