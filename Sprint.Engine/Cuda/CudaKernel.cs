namespace Sprint.Engine.Cuda;

/// <summary>
/// A kernel of a loaded module. Launches are checked against what the image declares (number, size and kind of the arguments) and
/// against the device's limits before they reach the driver.
/// </summary>
public sealed class CudaKernel
{
    private readonly FunctionHandle function;
    private readonly KernelParameter[]? parameters;
    private readonly Lock gate = new();
    private int dynamicSharedLimit;

    internal CudaKernel(CudaModule module, FunctionHandle function, string name, KernelParameter[]? parameters)
    {
        Module = module;
        Name = name;
        this.function = function;
        this.parameters = parameters;
        ICudaDriver driver = module.Context.Driver;
        Attributes = new CudaKernelAttributes(
            driver.GetFunctionAttribute(function, FunctionAttribute.Registers),
            driver.GetFunctionAttribute(function, FunctionAttribute.LocalBytes),
            driver.GetFunctionAttribute(function, FunctionAttribute.StaticSharedBytes),
            driver.GetFunctionAttribute(function, FunctionAttribute.ConstantBytes),
            driver.GetFunctionAttribute(function, FunctionAttribute.MaximumThreadsPerBlock),
            driver.GetFunctionAttribute(function, FunctionAttribute.PtxVersion),
            driver.GetFunctionAttribute(function, FunctionAttribute.BinaryVersion));
        dynamicSharedLimit = module.Context.Device.SharedMemoryPerBlock - Attributes.StaticSharedBytes;
    }

    /// <summary>The module that the kernel belongs to; the kernel must not be used after it was disposed.</summary>
    public CudaModule Module { get; }

    /// <summary>The exact name of the entry point.</summary>
    public string Name { get; }

    /// <summary>Registers, local and shared memory.</summary>
    public CudaKernelAttributes Attributes { get; }

    /// <summary>The kernel's parameters in order, or null where the image does not tell.</summary>
    public IReadOnlyList<KernelParameter>? Parameters => parameters;

    /// <summary>Puts a launch into a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads a block.</param>
    /// <param name="arguments">The arguments in the order of the parameters.</param>
    /// <param name="dynamicSharedBytes">Bytes of dynamic shared memory a block; more than 48 KB are asked for from the driver.</param>
    /// <param name="cooperative">Whether all blocks are resident at once, as <c>grid.sync()</c> of cooperative groups needs it.</param>
    /// <exception cref="CudaException">The arguments or the extents do not fit the kernel or the device, or an earlier launch has failed.</exception>
    public void Launch(CudaStream stream, Dim3 grid, Dim3 block, in KernelArguments arguments, int dynamicSharedBytes = 0, bool cooperative = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _ = Module.Handle;
        CheckArguments(arguments, grid, block);
        Launch(stream, grid, block, arguments.Bytes, arguments.Parameters, dynamicSharedBytes, cooperative);
    }

    /// <summary>Puts a launch into a stream whose arguments are known at run time only.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads a block.</param>
    /// <param name="argumentBlock">The arguments as one block of bytes, each where <see cref="Parameters"/> says; it ends with the last.</param>
    /// <param name="dynamicSharedBytes">Bytes of dynamic shared memory a block; more than 48 KB are asked for from the driver.</param>
    /// <param name="cooperative">Whether all blocks are resident at once, as <c>grid.sync()</c> of cooperative groups needs it.</param>
    /// <exception cref="CudaException">
    /// The block has another size, the image does not tell the parameters, the extents do not fit the kernel or the device, or an earlier launch has failed.
    /// </exception>
    public void LaunchBlock(CudaStream stream, Dim3 grid, Dim3 block, ReadOnlySpan<byte> argumentBlock, int dynamicSharedBytes = 0, bool cooperative = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _ = Module.Handle;
        if (parameters is null)
        {
            throw Error("does not tell its parameters: launch it with typed arguments", grid, block);
        }

        int size = parameters.Length == 0 ? 0 : parameters[^1].Offset + parameters[^1].Size;
        if (argumentBlock.Length != size)
        {
            throw Error($"takes {size} bytes of arguments but was given {argumentBlock.Length}", grid, block);
        }

        Launch(stream, grid, block, argumentBlock, parameters, dynamicSharedBytes, cooperative);
    }

    /// <summary>How well blocks of a size fill a multiprocessor.</summary>
    /// <param name="block">Threads a block.</param>
    /// <param name="dynamicSharedBytes">Bytes of dynamic shared memory a block.</param>
    /// <exception cref="CudaException">The block does not fit the kernel or the device.</exception>
    /// <exception cref="ObjectDisposedException">The module was unloaded.</exception>
    public CudaOccupancy GetOccupancy(Dim3 block, int dynamicSharedBytes = 0)
    {
        _ = Module.Handle;
        CheckExtents(1, block, dynamicSharedBytes);
        using CudaContext.Scope scope = Module.Context.Enter();
        AllowDynamicShared(dynamicSharedBytes, 1, block);
        int blocks = Module.Context.Driver.GetMaximumActiveBlocks(function, (int)block.Count, dynamicSharedBytes);
        CudaDeviceProperties device = Module.Context.Device;
        int warps = (int)((block.Count + device.WarpSize - 1) / device.WarpSize);
        return new CudaOccupancy(blocks, blocks * warps, device.MaximumThreadsPerMultiprocessor / device.WarpSize);
    }

    private void Launch(CudaStream stream, Dim3 grid, Dim3 block, ReadOnlySpan<byte> arguments, ReadOnlySpan<KernelParameter> layout, int dynamicSharedBytes, bool cooperative)
    {
        if (stream.Context != Module.Context)
        {
            throw Error("belongs to another context than the stream it was launched in", grid, block);
        }

        CheckExtents(grid, block, dynamicSharedBytes);
        using CudaContext.Scope scope = Module.Context.Enter();
        AllowDynamicShared(dynamicSharedBytes, grid, block);
        if (cooperative)
        {
            CheckResident(grid, block, dynamicSharedBytes);
        }

        stream.LastLaunch = (Name, grid, block);
        ILaunchObserver? observer = Module.Context.LaunchObserver;
        observer?.Launching(stream);
        Module.Context.Driver.Launch(new KernelLaunch
        {
            Function = function,
            Name = Name,
            Grid = grid,
            Block = block,
            DynamicSharedBytes = dynamicSharedBytes,
            IsCooperative = cooperative,
            Stream = stream.Handle,
            Arguments = arguments,
            Parameters = layout,
        });
        observer?.Launched(this, stream, grid, block, dynamicSharedBytes);
    }

    private void CheckArguments(in KernelArguments arguments, Dim3 grid, Dim3 block)
    {
        if (parameters is null)
        {
            return;
        }

        ReadOnlySpan<KernelParameter> given = arguments.Parameters;
        if (given.Length != parameters.Length)
        {
            throw Error($"takes {parameters.Length} arguments but was given {given.Length}", grid, block);
        }

        for (int i = 0; i < given.Length; i++)
        {
            if (!parameters[i].Accepts(given[i]))
            {
                throw Error($"takes {parameters[i]} as argument {i} but was given {given[i]}", grid, block);
            }

            if (parameters[i].Offset != given[i].Offset)
            {
                throw Error($"has its parameter {i} at byte {parameters[i].Offset} but the argument is aligned to byte {given[i].Offset}: its structure is aligned differently in C# and CUDA", grid, block);
            }
        }
    }

    private void CheckExtents(Dim3 grid, Dim3 block, int dynamicSharedBytes)
    {
        CudaDeviceProperties device = Module.Context.Device;
        if (!Fits(grid, device.MaximumGrid))
        {
            throw Error($"was launched with a grid of {grid} blocks; each extent must be from 1 to those of {device.MaximumGrid}", grid, block);
        }

        if (!Fits(block, device.MaximumBlock) || block.Count > Attributes.MaximumThreadsPerBlock)
        {
            throw Error(
                $"was launched with a block of {block} = {block.Count} threads; the extents may be {device.MaximumBlock} at most, and with its {Attributes.Registers} registers and launch bounds the kernel runs {Attributes.MaximumThreadsPerBlock} threads a block at most",
                grid,
                block);
        }

        ArgumentOutOfRangeException.ThrowIfNegative(dynamicSharedBytes);
    }

    private void CheckResident(Dim3 grid, Dim3 block, int dynamicSharedBytes)
    {
        int blocks = Module.Context.Driver.GetMaximumActiveBlocks(function, (int)block.Count, dynamicSharedBytes);
        int multiprocessors = Module.Context.Device.MultiprocessorCount;
        if (grid.Count > (long)blocks * multiprocessors)
        {
            throw Error(
                $"was launched cooperatively with {grid.Count} blocks, which must be resident at once; this device holds {(long)blocks * multiprocessors}: {blocks} of {block.Count} threads, {Attributes.Registers} registers each and {Attributes.StaticSharedBytes + dynamicSharedBytes} bytes of shared memory on each of {multiprocessors} multiprocessors",
                grid,
                block);
        }
    }

    // The opt-in belongs to the function, so it is asked for once for each new maximum and not at each launch.
    private void AllowDynamicShared(int bytes, Dim3 grid, Dim3 block)
    {
        if (bytes <= Volatile.Read(ref dynamicSharedLimit))
        {
            return;
        }

        int most = Module.Context.Device.SharedMemoryPerBlockOptIn - Attributes.StaticSharedBytes;
        if (bytes > most)
        {
            throw Error($"was launched with {bytes} bytes of dynamic shared memory a block; beside its {Attributes.StaticSharedBytes} static bytes this device has {most}", grid, block);
        }

        lock (gate)
        {
            if (bytes > dynamicSharedLimit)
            {
                Module.Context.Driver.SetFunctionAttribute(function, FunctionAttribute.MaximumDynamicSharedBytes, bytes);
                Volatile.Write(ref dynamicSharedLimit, bytes);
            }
        }
    }

    private CudaException Error(string what, Dim3 grid, Dim3 block) =>
        new($"Kernel {Name} {what}.") { KernelName = Name, Grid = grid, Block = block };

    private static bool Fits(Dim3 extent, Dim3 most) =>
        extent.X >= 1 && extent.Y >= 1 && extent.Z >= 1 && extent.X <= most.X && extent.Y <= most.Y && extent.Z <= most.Z;
}

/// <summary>What a loaded kernel needs.</summary>
/// <param name="Registers">32-bit registers a thread.</param>
/// <param name="LocalBytes">Bytes of local memory a thread: stack and spilled registers.</param>
/// <param name="StaticSharedBytes">Bytes of shared memory a block, without the dynamic part.</param>
/// <param name="ConstantBytes">Bytes of constant memory.</param>
/// <param name="MaximumThreadsPerBlock">Most threads a block, by registers and launch bounds.</param>
/// <param name="PtxVersion">Architecture of the PTX it was made from, e.g. 80.</param>
/// <param name="BinaryVersion">Architecture of its machine code, e.g. 86.</param>
public sealed record CudaKernelAttributes(
    int Registers,
    int LocalBytes,
    int StaticSharedBytes,
    int ConstantBytes,
    int MaximumThreadsPerBlock,
    int PtxVersion,
    int BinaryVersion);

/// <summary>How well a launch fills a multiprocessor.</summary>
/// <param name="Blocks">Blocks resident at once.</param>
/// <param name="Warps">Warps resident at once.</param>
/// <param name="MaximumWarps">Warps that a multiprocessor can hold.</param>
public readonly record struct CudaOccupancy(int Blocks, int Warps, int MaximumWarps)
{
    /// <summary>Resident warps over possible warps, from 0 to 1.</summary>
    public double Fraction => (double)Warps / MaximumWarps;
}
