using System.Text;
using Sprint.Engine.Emulation;

namespace Sprint.Engine.Cuda;

/// <content>Modules and launches.</content>
internal sealed partial class EmulatedCudaDriver
{
    private const int SharedBytesWithoutAsking = 48 * 1024;
    private const int RegistersPerBlock = 65536;
    private const int MostRegisters = 255;
    private const int FewestRegisters = 16;
    private const int RegisterGranularity = 8;

    /// <inheritdoc/>
    public DeviceModuleHandle LoadModule(ReadOnlySpan<byte> image, string name)
    {
        EmulatedContext context = Current();
        if (KernelImageReader.IsElf(image))
        {
            throw Refused(DriverStatus.NoBinaryForGpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", $"Module {name} is machine code (a cubin), which the emulated device cannot run: compile it to PTX.");
        }

        PtxModule ptx = PtxModule.Parse(Encoding.UTF8.GetString(image), name);
        lock (context.Gate)
        {
            context.RequireUsable();
            return new DeviceModuleHandle(context.Add(new LoadedModule(new EmulatedModule(ptx, context.Memory), image.ToArray())));
        }
    }

    /// <inheritdoc/>
    public void UnloadModule(DeviceModuleHandle module)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        LoadedModule loaded = context.Remove<LoadedModule>(module.Value);
        try
        {
            context.RunAll();
        }
        finally
        {
            context.RemoveFunctions(loaded.Module);
            loaded.Module.Dispose();
        }
    }

    /// <inheritdoc/>
    public FunctionHandle GetFunction(DeviceModuleHandle module, string entryPoint)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        EmulatedModule owner = context.Get<LoadedModule>(module.Value).Module;
        EmulatedKernel kernel = owner.GetKernel(entryPoint);
        return kernel.StaticSharedBytes <= SharedBytesWithoutAsking
            ? new FunctionHandle(context.Add(new EmulatedFunction(owner, kernel)))
            : throw Refused(
                DriverStatus.InvalidPtx,
                "CUDA_ERROR_INVALID_PTX",
                $"Kernel {entryPoint} declares {kernel.StaticSharedBytes} bytes of static shared memory, of which {SharedBytesWithoutAsking} are the most on any GPU: use dynamic shared memory.");
    }

    /// <inheritdoc/>
    public bool TryGetGlobal(DeviceModuleHandle module, string variable, out DevicePointer pointer, out long bytes)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        bool found = context.Get<LoadedModule>(module.Value).Module.TryGetGlobal(variable, out ulong address, out bytes);
        pointer = new DevicePointer(address);
        return found;
    }

    /// <inheritdoc/>
    public KernelParameter[]? GetParameters(DeviceModuleHandle module, FunctionHandle function, string entryPoint)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        return KernelImageReader.TryReadParameters(context.Get<LoadedModule>(module.Value).Image, entryPoint, out KernelParameter[]? parameters) ? parameters : null;
    }

    /// <summary>
    /// Reads an attribute. Only an assembler can tell how many registers a kernel takes (`sprint kernels report` asks one). In its place stands an estimate: as many as
    /// hold the values alive at the fullest point of the PTX, in steps of 8, within what the launch bounds allow. They never lower the
    /// most threads a block. The version of the machine code, which there is none of, is the PTX's.
    /// </summary>
    public int GetFunctionAttribute(FunctionHandle function, FunctionAttribute attribute)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        EmulatedFunction asked = context.Get<EmulatedFunction>(function.Value);
        return attribute switch
        {
            FunctionAttribute.MaximumThreadsPerBlock => asked.Kernel.MaximumThreads,
            FunctionAttribute.StaticSharedBytes => asked.Kernel.StaticSharedBytes,
            FunctionAttribute.ConstantBytes => (int)asked.Module.ConstantBytes,
            FunctionAttribute.LocalBytes => asked.Kernel.LocalBytes,
            FunctionAttribute.Registers => Registers(asked.Kernel),
            FunctionAttribute.PtxVersion or FunctionAttribute.BinaryVersion => asked.Module.Module.Architecture,
            FunctionAttribute.MaximumDynamicSharedBytes => asked.MaximumDynamicSharedBytes,
            _ => throw InvalidValue($"Functions have no attribute {attribute}."),
        };
    }

    /// <inheritdoc/>
    public void SetFunctionAttribute(FunctionHandle function, FunctionAttribute attribute, int value)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        EmulatedFunction set = context.Get<EmulatedFunction>(function.Value);
        int most = options.MaximumSharedBytes - set.Kernel.StaticSharedBytes;
        if (attribute != FunctionAttribute.MaximumDynamicSharedBytes || value < 0 || value > most)
        {
            throw InvalidValue($"The attribute {attribute} of kernel {set.Kernel.Name} was set to {value}; only {FunctionAttribute.MaximumDynamicSharedBytes} can be set, from 0 to {most}.");
        }

        set.MaximumDynamicSharedBytes = value;
    }

    /// <inheritdoc/>
    public int GetMaximumActiveBlocks(FunctionHandle function, int blockThreads, int dynamicSharedBytes)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        EmulatedKernel kernel = context.Get<EmulatedFunction>(function.Value).Kernel;
        KernelResources needs = new(kernel.Name, "sm_80", Registers(kernel), kernel.LocalBytes, 0, 0, kernel.StaticSharedBytes, 0);
        return MultiprocessorLimits.Of(80).GetOccupancy(needs, blockThreads, dynamicSharedBytes).Blocks;
    }

    /// <inheritdoc/>
    public void Launch(in KernelLaunch launch)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        EmulatedFunction function = context.Get<EmulatedFunction>(launch.Function.Value);
        EmulatedStream stream = context.GetStream(launch.Stream);
        LaunchSite site = new(launch.Name, launch.Grid, launch.Block);
        int shared = function.Kernel.StaticSharedBytes + launch.DynamicSharedBytes;
        if (shared > SharedBytesWithoutAsking && launch.DynamicSharedBytes > function.MaximumDynamicSharedBytes)
        {
            throw site.Refuse($"Kernel {launch.Name} was launched with {launch.DynamicSharedBytes} bytes of dynamic shared memory; more than {SharedBytesWithoutAsking} in all must be asked for first ({FunctionAttribute.MaximumDynamicSharedBytes})");
        }

        EmulatedLaunch ready;
        try
        {
            ready = new EmulatedLaunch(function.Kernel, ToIndex(launch.Grid), ToIndex(launch.Block), launch.DynamicSharedBytes, Arrange(function.Kernel, launch, site), options, launch.IsCooperative);
        }
        catch (EmulationException refusal)
        {
            throw site.Refuse(refusal.Message.TrimEnd('.'), refusal);
        }

        EmulatedContext.Enqueue(stream, new StreamAction(() => Run(ready, site)));
    }

    private void Run(EmulatedLaunch launch, LaunchSite site)
    {
        LaunchStatistics statistics;
        try
        {
            statistics = launch.Run();
        }
        catch (EmulationException fault)
        {
            throw site.Fail(fault);
        }

        // As a GPU's driver does with what kernels print.
        Console.Out.Write(statistics.Output);
        launched?.Invoke(statistics);
    }

    // Each argument goes where the kernel has its parameter, whatever lies between in the launch.
    private static byte[] Arrange(EmulatedKernel kernel, in KernelLaunch launch, LaunchSite site)
    {
        IReadOnlyList<(int Offset, int Bytes)> parameters = kernel.Parameters;
        if (parameters.Count != launch.Parameters.Length)
        {
            throw site.Refuse($"Kernel {launch.Name} takes {parameters.Count} arguments but was given {launch.Parameters.Length}");
        }

        byte[] block = new byte[kernel.ParameterBytes];
        for (int i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].Bytes != launch.Parameters[i].Size)
            {
                throw site.Refuse($"Kernel {launch.Name} takes {parameters[i].Bytes} bytes as argument {i} but was given {launch.Parameters[i].Size}");
            }

            launch.Arguments.Slice(launch.Parameters[i].Offset, parameters[i].Bytes).CopyTo(block.AsSpan(parameters[i].Offset));
        }

        return block;
    }

    private static int Registers(EmulatedKernel kernel)
    {
        int allowed = Math.Min(MostRegisters, RegistersPerBlock / kernel.MaximumThreads / RegisterGranularity * RegisterGranularity);
        int alive = (kernel.LiveRegisters + RegisterGranularity - 1) / RegisterGranularity * RegisterGranularity;
        return Math.Clamp(alive, FewestRegisters, kernel.HasLaunchBounds ? allowed : MostRegisters);
    }

    private static LaunchIndex ToIndex(Dim3 extent) => new((uint)extent.X, (uint)extent.Y, (uint)extent.Z);

    /// <summary>A module and the PTX it was made of.</summary>
    private sealed record LoadedModule(EmulatedModule Module, byte[] Image);
}

/// <summary>An entry point of a loaded module.</summary>
/// <param name="module">The module.</param>
/// <param name="kernel">The kernel.</param>
internal sealed class EmulatedFunction(EmulatedModule module, EmulatedKernel kernel)
{
    public EmulatedModule Module { get; } = module;

    public EmulatedKernel Kernel { get; } = kernel;

    /// <summary>What was asked for beyond what every block gets.</summary>
    public int MaximumDynamicSharedBytes { get; set; }
}

/// <summary>A launch as errors name it.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Block">Threads a block.</param>
internal sealed record LaunchSite(string Kernel, Dim3 Grid, Dim3 Block)
{
    /// <summary>A launch that does not begin.</summary>
    public CudaException Refuse(string message, Exception? cause = null) => Create(message + ".", DriverStatus.InvalidValue, "CUDA_ERROR_INVALID_VALUE", cause);

    /// <summary>A launch that went wrong; the context is lost.</summary>
    public CudaException Fail(EmulationException fault)
    {
        (int status, string name) = fault.Fault switch
        {
            EmulationFault.OutOfBounds or EmulationFault.UseAfterFree or EmulationFault.ReadOnlyWrite => (DriverStatus.IllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS"),
            EmulationFault.Misaligned => (DriverStatus.MisalignedAddress, "CUDA_ERROR_MISALIGNED_ADDRESS"),
            EmulationFault.InstructionBudget or EmulationFault.Deadlock => (DriverStatus.LaunchTimeout, "CUDA_ERROR_LAUNCH_TIMEOUT"),
            EmulationFault.Assertion => (DriverStatus.Assert, "CUDA_ERROR_ASSERT"),
            _ => (DriverStatus.LaunchFailed, "CUDA_ERROR_LAUNCH_FAILED"),
        };
        return Create($"{fault.Message.TrimEnd('.')} (grid {Grid}, block {Block}); the emulated device's context is lost: open another.", status, name, fault);
    }

    private CudaException Create(string message, int status, string name, Exception? cause) => new(message, cause!)
    {
        ErrorCode = status,
        ErrorName = name,
        Call = "Launch",
        KernelName = Kernel,
        Grid = Grid,
        Block = Block,
        IsContextLost = DriverStatus.LosesContext(status),
    };
}
