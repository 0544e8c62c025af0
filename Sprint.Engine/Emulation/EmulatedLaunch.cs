using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation;

/// <summary>A launch of a kernel: checked against the device's limits, then executed block by block on the host's cores.</summary>
public sealed unsafe class EmulatedLaunch
{
    private const int MaximumBlockThreads = 1024;
    private const int CallStackBytes = 16 * 1024;
    private const long MaximumLocalBlockBytes = 256L << 20;
    private const long MaximumRegisterBlockBytes = 256L << 20;

    // What an A100 holds: CUDA C++ Programming Guide, technical specifications of compute capability 8.0.
    private const int Multiprocessors = 108;
    private const int ResidentThreads = 2048;
    private const int ResidentBlockLimit = 32;
    private const int ResidentSharedBytes = 164 * 1024;
    private const int ReservedSharedBytes = 1024;

    // What a block costs the host besides its registers: shared memory with its shadows, the order of its warps, what each notes of its lanes.
    private const int BytesOfSharedByte = 12;
    private const int BytesOfThread = 2560;
    private const long MaximumResidentBytes = 1L << 30;

    // What the driver lays out for a cooperative launch, by cooperative_groups/details/driver_abi.h: its size, and the word that blocks arrive at.
    private static readonly byte[] EmptyWorkspace = [8, 0, 0, 0, 0, 0, 0, 0];

    private readonly EmulatedKernel kernel;
    private readonly LaunchIndex grid;
    private readonly LaunchIndex block;
    private readonly int dynamicSharedBytes;
    private readonly byte[] parameters;
    private readonly EmulationOptions options;
    private readonly bool cooperative;
    private readonly SharedMap sharedMap;

    /// <summary>Checks a launch.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="grid">Blocks in each direction: up to 2^31-1, 65535 and 65535.</param>
    /// <param name="block">Threads in each direction: up to 1024, 1024 and 64, 1024 in all.</param>
    /// <param name="dynamicSharedBytes">Bytes of shared memory beyond what the kernel declares.</param>
    /// <param name="parameters">The parameter buffer, laid out as <see cref="EmulatedKernel.Parameters"/> says.</param>
    /// <param name="options">How to emulate; null for the defaults.</param>
    /// <param name="cooperative">Whether all blocks are there at once and may meet, as <c>grid.sync()</c> of cooperative groups needs it.</param>
    /// <exception cref="EmulationException">A limit is exceeded, or the parameters have another size.</exception>
    public EmulatedLaunch(EmulatedKernel kernel, LaunchIndex grid, LaunchIndex block, int dynamicSharedBytes, ReadOnlySpan<byte> parameters, EmulationOptions? options = null, bool cooperative = false)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        this.kernel = kernel;
        this.grid = grid;
        this.block = block;
        this.dynamicSharedBytes = dynamicSharedBytes;
        this.parameters = parameters.ToArray();
        this.options = options ?? EmulationOptions.Default;
        this.cooperative = cooperative;
        CheckExtents();
        CheckResources();
        CheckWorkingMemory();
        sharedMap = kernel.Program.Shared.Map(dynamicSharedBytes);
        if (cooperative)
            CheckResident();
    }

    private int SharedBytes => dynamicSharedBytes > 0 ? kernel.Program.Shared.DynamicOffset + dynamicSharedBytes : kernel.StaticSharedBytes;

    /// <summary>Local memory of a thread: the kernel's own, and a stack where it calls functions.</summary>
    private long LocalBytes
    {
        get
        {
            KernelProgram program = kernel.Program;
            bool calls = program.Functions.Count(function => function is not null) > 1;
            return program.Kernel.LocalBytes + (calls ? CallStackBytes + program.Functions.Max(function => (long)(function?.LocalBytes ?? 0)) : 0);
        }
    }

    private int Threads => (int)(block.Count + 31) / 32 * 32;

    /// <summary>As many blocks as an A100 holds at once, if they were the only kernel there.</summary>
    private int DeviceBlocks =>
        Multiprocessors * Math.Clamp(Math.Min(ResidentThreads / Threads, ResidentSharedBytes / (SharedBytes + ReservedSharedBytes)), 1, ResidentBlockLimit);

    /// <summary>What a block that has begun and not ended takes of the host.</summary>
    private long HostBytesOfBlock =>
        Threads * (2 * LocalBytes + BytesOfThread) + Threads / 32 * (long)kernel.Program.Kernel.FrameBytes + sharedMap.Size * (long)BytesOfSharedByte;

    /// <summary>Executes all blocks, or those of <see cref="EmulationOptions.LastBlocks"/>. Launches on one memory run one after another.</summary>
    /// <returns>What was executed.</returns>
    /// <exception cref="EmulationException">The kernel did something wrong; of several faulty blocks the first is named.</exception>
    public LaunchStatistics Run()
    {
        EmulatedMemory memory = kernel.Program.Module.Memory;
        lock (memory.LaunchLock)
        {
            byte* parameters = (byte*)NativeMemory.AlignedAlloc((nuint)this.parameters.Length + 64, 64);
            ulong workspace = 0;
            try
            {
                this.parameters.CopyTo(new Span<byte>(parameters, this.parameters.Length));
                if (cooperative)
                {
                    workspace = memory.Allocate(EmptyWorkspace.Length);
                    memory.Write(workspace, EmptyWorkspace);
                }
                return Execute(memory, parameters, workspace);
            }
            finally
            {
                NativeMemory.AlignedFree(parameters);
                if (workspace != 0)
                    memory.Free(workspace);
            }
        }
    }

    private LaunchStatistics Execute(EmulatedMemory memory, byte* parameters, ulong workspace)
    {
        KernelProgram program = kernel.Program;
        bool track = program.UsesReadOnlyPath && (options.Checks & EmulationChecks.ReadOnlyPath) != 0;
        bool races = (options.Checks & EmulationChecks.GlobalMemoryRaces) != 0;
        MemoryAllocation[] written = track || races ? memory.Writable(WrittenAddresses(parameters, workspace)) : [];
        LaunchContext context = new()
        {
            Program = program,
            Memory = memory,
            Options = options,
            Grid = grid,
            BlockSize = block,
            DynamicSharedBytes = dynamicSharedBytes,
            SharedBytes = SharedBytes,
            Shared = sharedMap,
            Parameters = parameters,
            GridWorkspace = workspace,
            LocalBytes = (int)LocalBytes,
            ReadOnlyGeneration = track ? memory.BeginReadOnlyTracking(written) : (byte)0,
            RaceNumber = races ? memory.BeginRaceTracking(written) : LaunchContext.NoRaces,
            Sync = races && program.UsesDeviceFence ? new SyncGraph() : null,
        };
        long all = (long)grid.Count;
        long blocks = cooperative ? all : Math.Clamp(options.LastBlocks?.Invoke(kernel.Name, all) ?? all, 0, all);
        int workers = (int)Math.Clamp(blocks, 1, options.Workers > 0 ? options.Workers : Environment.ProcessorCount);
        int resident = Math.Max(workers, (int)Math.Min(DeviceBlocks, Math.Max(MaximumResidentBytes / HostBytesOfBlock, 1)));
        BlockQueue queue = new(all, first: all - blocks, resident, options.ScheduleSeed);
        LaunchStatistics statistics = new(kernel.Name) { Blocks = blocks };
        using BlockScheduler scheduler = new(context, queue, resident);
        if (workers == 1)
            scheduler.Work();
        else
            Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ => scheduler.Work());
        scheduler.Complete(statistics);
        return statistics;
    }

    // Addresses of what the kernel may write to, null if that could be anything.
    private List<ulong>? WrittenAddresses(byte* parameters, ulong workspace)
    {
        StoreTargets targets = kernel.Program.StoreTargets;
        if (targets.IsAnywhere)
            return null;
        List<ulong> addresses = [workspace, .. targets.Parameters.Where(offset => offset + 8 <= kernel.ParameterBytes).Select(offset => *(ulong*)(parameters + offset))];
        foreach (string name in targets.Variables)
        {
            if (kernel.Program.Module.TryGetAddress(name, out ulong address))
                addresses.Add(address);
        }
        return addresses;
    }

    private void CheckExtents()
    {
        if (grid.X is 0 or > int.MaxValue || grid.Y is 0 or > 65535 || grid.Z is 0 or > 65535)
            throw Refuse($"The grid {grid} is not between (1,1,1) and (2147483647,65535,65535)");
        if (block.X is 0 or > MaximumBlockThreads || block.Y is 0 or > MaximumBlockThreads || block.Z is 0 or > 64 || block.Count > MaximumBlockThreads)
            throw Refuse($"The block {block} has {block.Count} threads; a block has 1 to {MaximumBlockThreads}, at most 64 of them along Z");
        if (block.Count > (ulong)kernel.MaximumThreads)
            throw Refuse($"The block {block} has {block.Count} threads, but the kernel was compiled for at most {kernel.MaximumThreads} (.maxntid)");
        if (kernel.Program.Kernel.Syntax.RequiredBlock is { } required && required != block)
            throw Refuse($"The block {block} is not the {required} that the kernel was compiled for (.reqntid)");
    }

    private void CheckResources()
    {
        long shared = dynamicSharedBytes > 0 ? (long)kernel.Program.Shared.DynamicOffset + dynamicSharedBytes : kernel.StaticSharedBytes;
        if (dynamicSharedBytes < 0 || shared > options.MaximumSharedBytes)
            throw Refuse($"The launch needs {shared} bytes of shared memory ({kernel.StaticSharedBytes} declared, {dynamicSharedBytes} dynamic); a block has {options.MaximumSharedBytes}");
        if (parameters.Length != kernel.ParameterBytes)
            throw Refuse($"The launch passes {parameters.Length} bytes of parameters, but the kernel takes {kernel.ParameterBytes}");
    }

    private void CheckWorkingMemory()
    {
        long threads = ((long)block.Count + 31) / 32 * 32;
        long local = threads * LocalBytes;
        if (local > MaximumLocalBlockBytes)
            throw Refuse($"The block's {threads} threads need {LocalBytes} bytes of local memory each; the emulator gives a block {MaximumLocalBlockBytes}");
        long registers = threads / 32 * kernel.Program.Kernel.FrameBytes;
        if (registers > MaximumRegisterBlockBytes)
            throw Refuse($"The block's {threads / 32} warps need {kernel.Program.Kernel.FrameBytes} bytes for their registers each; the emulator gives a block {MaximumRegisterBlockBytes}");
    }

    private void CheckResident()
    {
        long blocks = (long)Math.Min(grid.Count, long.MaxValue);
        if (blocks > DeviceBlocks)
            throw Refuse($"All {blocks} blocks of a cooperative launch must be there at once; the device holds {DeviceBlocks} of {block.Count} threads and {SharedBytes} bytes of shared memory");
        if (blocks * HostBytesOfBlock > MaximumResidentBytes)
            throw Refuse($"All {blocks} blocks of a cooperative launch must be there at once and take {HostBytesOfBlock} bytes of the host each; the emulator gives them {MaximumResidentBytes}");
    }

    private EmulationException Refuse(string detail)
        => new(EmulationFault.Launch, detail, new EmulationSite(kernel.Program.Module.Module.Name, kernel.Name));
}
