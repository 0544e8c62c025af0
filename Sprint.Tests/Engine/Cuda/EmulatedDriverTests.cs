using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>Modules, launches, faults, memory and objects of the emulated device.</summary>
public sealed class EmulatedDriverTests
{
    private const int Count = 64;

    private static CudaModule Bugs(CudaContext context) => context.LoadModule(System.Text.Encoding.UTF8.GetBytes(EmulatorHarness.Resource("bugs")), "bugs.ptx");

    private static CudaDeviceVariable<int> Zeros(CudaContext context, int count = Count)
    {
        CudaDeviceVariable<int> variable = new(context, count);
        variable.Memset(0);
        return variable;
    }

    [Test]
    public void AFaultSurfacesWhereTheStreamIsWaitedForAndNamesItsPlace()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaModule module = Bugs(context);
        using CudaDeviceVariable<int> source = Zeros(context);
        using CudaDeviceVariable<int> target = Zeros(context);
        CudaKernel kernel = module.GetKernel("off_by_one");
        kernel.Launch(context.DefaultStream, 3, 32, new KernelArguments { source, target, Count });
        CudaException fault = Assert.Throws<CudaException>(context.DefaultStream.Synchronize)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fault.Message, Does.Contain("kernel off_by_one, block (2,0,0), thread (0,0,0), at bugs.cu:").And.Contain("grid 3x1x1, block 32x1x1").And.Contain("context is lost"));
            Assert.That(fault.KernelName, Is.EqualTo("off_by_one"));
            Assert.That(fault.Grid, Is.EqualTo(new Dim3(3)));
            Assert.That(fault.ErrorName, Is.EqualTo("CUDA_ERROR_ILLEGAL_ADDRESS"));
            Assert.That(fault.IsContextLost);
            Assert.That(fault.InnerException, Is.InstanceOf<EmulationException>().With.Property("SourceLine").Positive);
        }
    }

    [Test]
    public void ALostContextRefusesEverythingButOthersAndNewOnesWork()
    {
        using CudaContext other = CudaContext.Emulated();
        using CudaDeviceVariable<int> untouched = Zeros(other);
        using (CudaContext context = CudaContext.Emulated())
        {
            using CudaModule module = Bugs(context);
            using CudaDeviceVariable<int> target = Zeros(context);
            using CudaEvent cudaEvent = new(context);
            CudaKernel kernel = module.GetKernel("trapped");
            kernel.Launch(context.DefaultStream, 1, 32, new KernelArguments { target, 0 });
            Assert.That(context.Synchronize, Throws.InstanceOf<CudaException>().With.Message.Contains("trap"));
            Action[] calls =
            [
                context.Synchronize,
                context.DefaultStream.Synchronize,
                () => target.Memset(1),
                () => target.CopyToHost(new int[1]),
                () => kernel.Launch(context.DefaultStream, 1, 32, new KernelArguments { target, 1 }),
                () => cudaEvent.Record(context.DefaultStream),
                () => new CudaDeviceVariable<int>(context, 1).Dispose(),
                () => Bugs(context).Dispose(),
            ];
            foreach (Action call in calls)
            {
                Assert.That(call, Throws.InstanceOf<CudaException>().With.Message.Contains("trap").And.Property("IsContextLost").True);
            }
        }

        int[] back = new int[Count];
        untouched.CopyToHost(back);
        Assert.That(back, Is.All.Zero);
        using CudaContext again = CudaContext.Emulated();
        using CudaModule reloaded = Bugs(again);
        using CudaDeviceVariable<int> fresh = Zeros(again);
        reloaded.GetKernel("trapped").Launch(again.DefaultStream, 1, 32, new KernelArguments { fresh, 1 });
        Assert.That(again.Synchronize, Throws.Nothing);
    }

    [Test]
    public void AnEndlessKernelEndsWithItsBudget()
    {
        using CudaContext context = CudaContext.Emulated(new EmulationOptions { InstructionBudget = 10_000 });
        using CudaModule module = Bugs(context);
        using CudaDeviceVariable<int> target = Zeros(context);
        module.GetKernel("endless").Launch(context.DefaultStream, 1, 32, new KernelArguments { target, 0 });
        Assert.That(context.Synchronize, Throws.InstanceOf<CudaException>().With.Property("ErrorName").EqualTo("CUDA_ERROR_LAUNCH_TIMEOUT"));
    }

    [Test]
    public void EveryLaunchTellsWhatItExecutedInTheOrderInWhichItRan()
    {
        List<LaunchStatistics> launches = [];
        using CudaContext context = CudaContext.Emulated(new EmulationOptions { Counters = true }, launches.Add);
        using CudaModule module = Bugs(context);
        using CudaDeviceVariable<int> source = Zeros(context);
        using CudaDeviceVariable<int> target = Zeros(context);
        module.GetKernel("off_by_one_repaired").Launch(context.DefaultStream, 2, 32, new KernelArguments { source, target, Count });
        module.GetKernel("trapped").Launch(context.DefaultStream, 1, 32, new KernelArguments { target, 1 });
        Assert.That(launches, Is.Empty, "nothing runs before it is waited for");
        context.Synchronize();
        Assert.That(launches.Select(static launch => launch.Kernel), Is.EqualTo(new[] { "off_by_one_repaired", "trapped" }));
        Assert.That(launches[0].Blocks, Is.EqualTo(2));
        Assert.That(launches[0].Global.Written, Is.EqualTo(Count * sizeof(int)));
        Assert.That(launches[0].GlobalSectors, Is.EqualTo(2 * Count * sizeof(int) / 32));
    }

    [Test]
    public void FreedMemoryIsFreeAndItsUseIsFound()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaModule module = Bugs(context);
        using CudaDeviceVariable<int> target = Zeros(context);
        CudaDeviceVariable<int> source = Zeros(context);
        DevicePointer stale = source.DevicePointer;
        source.Dispose();
        CudaKernel copy = module.GetKernel("off_by_one_repaired");
        copy.Launch(context.DefaultStream, 2, 32, new KernelArguments { stale, target, Count });
        Assert.That(context.Synchronize, Throws.InstanceOf<CudaException>().With.Message.Contains("was freed").And.Message.Contains("off_by_one_repaired"));
    }

    [Test]
    public void AFreeInAStreamComesAfterTheWorkThatWasPutInBefore()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaStream stream = new(context);
        using CudaModule module = Bugs(context);
        using CudaDeviceVariable<int> target = Zeros(context);
        context.Synchronize();
        CudaDeviceVariable<int> source = new(context, Count, stream);
        source.Memset(1, stream);
        module.GetKernel("off_by_one_repaired").Launch(stream, 2, 32, new KernelArguments { source, target, Count });
        source.Dispose();
        stream.Synchronize();
        int[] back = new int[Count];
        target.CopyToHost(back);
        Assert.That(back, Is.All.EqualTo(0x01010101));
    }

    [Test]
    public void MemoryEndsWithASentenceThatSaysHowMuchAndPendingFreesCount()
    {
        using CudaContext context = CudaContext.Emulated(memoryBytes: 1 << 20);
        CudaDeviceVariable<byte> first = new(context, 3 << 18, context.DefaultStream);
        Assert.That(context.GetMemoryInformation(), Is.EqualTo(new CudaMemoryInformation(1 << 18, 1 << 20)));
        Assert.That(
            () => new CudaDeviceVariable<byte>(context, 1 << 19),
            Throws.InstanceOf<CudaException>().With.Message.Contains("0.5 MiB of device memory: 0.3 MiB of 1.0 MiB are free").And.Property("ErrorName").EqualTo("CUDA_ERROR_OUT_OF_MEMORY"));
        first.Dispose();
        using CudaDeviceVariable<byte> second = new(context, 1 << 20, context.DefaultStream);
        Assert.That(second.ByteLength, Is.EqualTo(1 << 20));
    }

    [Test]
    public void MemoryIsNoMoreThanTheHostCanProvideWithWhatIsNotedOfEachByte()
    {
        using CudaContext context = CudaContext.Emulated();
        Assert.That(context.GetMemoryInformation().TotalBytes, Is.InRange(1, Math.Min(40L << 30, (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4.5))));
    }

    [Test]
    public void CopiesBeyondTheirMemoryAreRefusedAtOnce()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaDeviceVariable<int> small = Zeros(context, 4);
        using CudaPinnedMemory<int> host = new(context, 8);
        using (context.Enter())
        {
            Assert.That(() => context.Driver.CopyToDevice(small.DevicePointer, host.Pointer, 32, default), Throws.InstanceOf<CudaException>().With.Message.Contains("beyond the end"));
            Assert.That(() => context.Driver.Fill(small.DevicePointer.Offset(2), 0, 4, 1, default), Throws.InstanceOf<CudaException>().With.Message.Contains("not aligned"));
            Assert.That(() => context.Driver.Fill(small.DevicePointer, 0, 3, 1, default), Throws.InstanceOf<ArgumentOutOfRangeException>());
        }

        Assert.That(context.Synchronize, Throws.Nothing);
    }

    [Test]
    public void FillsRepeatTheirElement([Values(1, 2, 4)] int elementBytes)
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaDeviceVariable<byte> variable = new(context, 200);
        variable.Memset(0xee);
        using (context.Enter())
        {
            context.Driver.Fill(variable.DevicePointer.Offset(4), 0x04030201, elementBytes, 180 / elementBytes, default);
        }

        byte[] back = new byte[200];
        variable.CopyToHost(back);
        Assert.That(back, Is.EqualTo(Enumerable.Range(0, 200).Select(i => i is < 4 or >= 184 ? 0xee : (i - 4) % elementBytes + 1)));
    }

    [Test]
    public void ObjectsOfAnotherContextAndFreedOnesAreRefused()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaContext other = CudaContext.Emulated();
        using CudaStream foreign = new(other);
        using CudaEvent foreignEvent = new(other);
        using CudaDeviceVariable<int> foreignMemory = Zeros(other);
        CudaStream stream = new(context);
        StreamHandle destroyed = stream.Handle;
        stream.Dispose();
        using CudaContext.Scope scope = context.Enter();
        ICudaDriver driver = context.Driver;
        Action[] calls =
        [
            () => driver.SynchronizeStream(foreign.Handle),
            () => driver.SynchronizeStream(destroyed),
            () => driver.RecordEvent(foreignEvent.Handle, default),
            () => driver.Fill(foreignMemory.DevicePointer, 0, 1, 1, default),
            () => driver.Free(foreignMemory.DevicePointer),
            () => driver.FreePinned(64),
            () => driver.UnloadModule(default),
            () => other.Driver.SynchronizeContext(),
        ];
        foreach (Action call in calls)
        {
            Assert.That(call, Throws.InstanceOf<CudaException>());
        }

        Assert.That(context.Synchronize, Throws.Nothing);
        Assert.That(other.Synchronize, Throws.Nothing);
    }

    [Test]
    public void CallsNeedACurrentContext()
    {
        using CudaContext context = CudaContext.Emulated();
        Assert.That(() => context.Driver.Allocate(4), Throws.InstanceOf<CudaException>().With.Message.EqualTo("Allocate was called without a current context."));
    }

    [Test]
    public void MachineCodeIsRefusedWithOneSentence()
    {
        using CudaContext context = CudaContext.Emulated();
        Assert.That(
            () => context.LoadModule("\u007fELF"u8, "kernel (sm_80)"),
            Throws.InstanceOf<CudaException>().With.Message.EqualTo("Module kernel (sm_80) is machine code (a cubin), which the emulated device cannot run: compile it to PTX."));
        Assert.That(new KernelLibrary(new KernelLibraryOptions { UseCache = false }).TargetFor(context.Device), Is.EqualTo(CudaTarget.Ptx(80)));
    }

    [Test]
    public void MoreSharedMemoryThanABlockGetsMustBeAskedForAndIsLimited()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaModule module = Bugs(context);
        using CudaDeviceVariable<int> target = Zeros(context);
        CudaKernel kernel = module.GetKernel("shared_overrun");
        kernel.Launch(context.DefaultStream, 1, 64, new KernelArguments { target, 0 }, 100 * 1024);
        Assert.That(context.Synchronize, Throws.Nothing);
        Assert.That(() => kernel.Launch(context.DefaultStream, 1, 64, new KernelArguments { target, 0 }, 164 * 1024), Throws.InstanceOf<CudaException>().With.Message.Contains("this device has 166912"));
        Assert.That(kernel.GetOccupancy(64, 80 * 1024).Blocks, Is.EqualTo(2));
        using CudaContext.Scope scope = context.Enter();
        FunctionHandle function = context.Driver.GetFunction(module.Handle, "shared_overrun");
        Assert.That(() => context.Driver.SetFunctionAttribute(function, FunctionAttribute.MaximumDynamicSharedBytes, 164 * 1024), Throws.InstanceOf<CudaException>());
    }

    [Test]
    public void GlobalsAreFoundByName()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaModule module = Bugs(context);
        Assert.That(module.GetGlobal("fixed").Bytes, Is.EqualTo(16));
        Assert.That(() => module.GetGlobal("absent"), Throws.InstanceOf<CudaException>().With.Message.Contains("absent"));
    }

    [Test]
    public void RegistersAreThoseAliveAtTheFullestPoint()
    {
        string sums = string.Concat(Enumerable.Range(0, 40).Select(static i => $"ld.global.u32 %r{i}, [%rd0+{4 * i}];\n"))
            + string.Concat(Enumerable.Range(1, 39).Select(static i => $"add.u32 %r0, %r0, %r{i};\n"));
        string ptx = $".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry sum(.param .u64 p)\n{{\n.reg .b32 %r<99>;\n.reg .b64 %rd<2>;\nld.param.u64 %rd0, [p];\n{sums}st.global.u32 [%rd0], %r0;\nret;\n}}\n";
        using CudaContext context = CudaContext.Emulated();
        using CudaModule module = context.LoadModule(System.Text.Encoding.UTF8.GetBytes(ptx), "sum.ptx");

        // 40 words and the pointer's two, in steps of 8; 48 registers for each of 1,024 threads leave one block a multiprocessor.
        Assert.That(module.GetKernel("sum").Attributes, Is.EqualTo(new CudaKernelAttributes(48, 0, 0, 0, 1024, 80, 80)));
        Assert.That(module.GetKernel("sum").GetOccupancy(1024).Blocks, Is.EqualTo(1));
    }

    [Test]
    public void ThereIsOneDevice()
    {
        Assert.That(() => new CudaContext(CudaContext.Emulated().Driver, 1), Throws.InstanceOf<SprintException>().With.Message.Contains("emulated:1"));
    }
}
