using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Engine.Emulation;

/// <summary>A launch of a kernel: checked against the device's limits, then executed block by block on the host's cores.</summary>
public sealed unsafe class EmulatedLaunch
{
    private const int MaximumBlockThreads = 1024;
    private const int CallStackBytes = 16 * 1024;
    private const long MaximumLocalBlockBytes = 256L << 20;
    private const long MaximumRegisterBlockBytes = 256L << 20;

    private readonly EmulatedKernel _kernel;
    private readonly LaunchIndex _grid;
    private readonly LaunchIndex _block;
    private readonly int _dynamicSharedBytes;
    private readonly byte[] _parameters;
    private readonly EmulationOptions _options;

    /// <summary>Checks a launch.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="grid">Blocks in each direction: up to 2^31-1, 65535 and 65535.</param>
    /// <param name="block">Threads in each direction: up to 1024, 1024 and 64, 1024 in all.</param>
    /// <param name="dynamicSharedBytes">Bytes of shared memory beyond what the kernel declares.</param>
    /// <param name="parameters">The parameter buffer, laid out as <see cref="EmulatedKernel.Parameters"/> says.</param>
    /// <param name="options">How to emulate; null for the defaults.</param>
    /// <exception cref="EmulationException">A limit is exceeded, or the parameters have another size.</exception>
    public EmulatedLaunch(EmulatedKernel kernel, LaunchIndex grid, LaunchIndex block, int dynamicSharedBytes, ReadOnlySpan<byte> parameters, EmulationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        _kernel = kernel;
        _grid = grid;
        _block = block;
        _dynamicSharedBytes = dynamicSharedBytes;
        _parameters = parameters.ToArray();
        _options = options ?? EmulationOptions.Default;
        CheckExtents();
        CheckResources();
        CheckWorkingMemory();
    }

    private int SharedBytes => _dynamicSharedBytes > 0 ? _kernel.Program.DynamicSharedOffset + _dynamicSharedBytes : _kernel.StaticSharedBytes;

    /// <summary>Local memory of a thread: the kernel's own, and a stack where it calls functions.</summary>
    private long LocalBytes
    {
        get
        {
            KernelProgram program = _kernel.Program;
            bool calls = program.Functions.Count(function => function is not null) > 1;
            return program.Kernel.LocalBytes + (calls ? CallStackBytes + program.Functions.Max(function => (long)(function?.LocalBytes ?? 0)) : 0);
        }
    }

    /// <summary>Executes all blocks. Launches on one memory run one after another.</summary>
    /// <returns>What was executed.</returns>
    /// <exception cref="EmulationException">The kernel did something wrong; of several faulty blocks the first is named.</exception>
    public LaunchStatistics Run()
    {
        EmulatedMemory memory = _kernel.Program.Module.Memory;
        lock (memory.LaunchLock)
        {
            byte* parameters = (byte*)NativeMemory.AlignedAlloc((nuint)_parameters.Length + 64, 64);
            try
            {
                _parameters.CopyTo(new Span<byte>(parameters, _parameters.Length));
                return Execute(memory, parameters);
            }
            finally
            {
                NativeMemory.AlignedFree(parameters);
            }
        }
    }

    private LaunchStatistics Execute(EmulatedMemory memory, byte* parameters)
    {
        KernelProgram program = _kernel.Program;
        bool track = program.UsesReadOnlyPath && (_options.Checks & EmulationChecks.ReadOnlyPath) != 0;
        LaunchContext context = new()
        {
            Program = program,
            Memory = memory,
            Options = _options,
            Grid = _grid,
            BlockSize = _block,
            DynamicSharedBytes = _dynamicSharedBytes,
            SharedBytes = SharedBytes,
            Parameters = parameters,
            LocalBytes = (int)LocalBytes,
            ReadOnlyGeneration = track ? memory.BeginReadOnlyTracking() : (byte)0,
        };
        BlockQueue queue = new((long)_grid.Count);
        int workers = (int)Math.Min(_options.Workers > 0 ? _options.Workers : Environment.ProcessorCount, (long)_grid.Count);
        LaunchStatistics statistics = new(_kernel.Name) { Blocks = (long)_grid.Count };
        SortedDictionary<long, string> printed = [];
        if (workers == 1)
            Work(context, queue, statistics, printed);
        else
            Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ => Work(context, queue, statistics, printed));
        if (queue.FirstFault is { } fault)
            throw fault;
        statistics.Output = string.Concat(printed.Values);
        return statistics;
    }

    private static void Work(LaunchContext context, BlockQueue queue, LaunchStatistics statistics, SortedDictionary<long, string> printed)
    {
        using BlockExecutor executor = new(context);
        while (queue.TryTake(out long rank))
        {
            try
            {
                executor.Execute(rank);
            }
            catch (EmulationException fault)
            {
                queue.Report(rank, fault);
                return;
            }
            if (executor.Output.Length == 0)
                continue;
            lock (printed)
                printed[rank] = executor.Output.ToString();
            executor.Output.Clear();
        }
        lock (statistics)
            statistics.Add(context.Program, executor);
    }

    private void CheckExtents()
    {
        if (_grid.X is 0 or > int.MaxValue || _grid.Y is 0 or > 65535 || _grid.Z is 0 or > 65535)
            throw Refuse($"The grid {_grid} is not between (1,1,1) and (2147483647,65535,65535)");
        if (_block.X is 0 or > MaximumBlockThreads || _block.Y is 0 or > MaximumBlockThreads || _block.Z is 0 or > 64 || _block.Count > MaximumBlockThreads)
            throw Refuse($"The block {_block} has {_block.Count} threads; a block has 1 to {MaximumBlockThreads}, at most 64 of them along Z");
        if (_block.Count > (ulong)_kernel.MaximumThreads)
            throw Refuse($"The block {_block} has {_block.Count} threads, but the kernel was compiled for at most {_kernel.MaximumThreads} (.maxntid)");
        if (_kernel.Program.Kernel.Syntax.RequiredBlock is { } required && required != _block)
            throw Refuse($"The block {_block} is not the {required} that the kernel was compiled for (.reqntid)");
    }

    private void CheckResources()
    {
        long shared = _dynamicSharedBytes > 0 ? (long)_kernel.Program.DynamicSharedOffset + _dynamicSharedBytes : _kernel.StaticSharedBytes;
        if (_dynamicSharedBytes < 0 || shared > _options.MaximumSharedBytes)
            throw Refuse($"The launch needs {shared} bytes of shared memory ({_kernel.StaticSharedBytes} declared, {_dynamicSharedBytes} dynamic); a block has {_options.MaximumSharedBytes}");
        if (_parameters.Length != _kernel.ParameterBytes)
            throw Refuse($"The launch passes {_parameters.Length} bytes of parameters, but the kernel takes {_kernel.ParameterBytes}");
    }

    private void CheckWorkingMemory()
    {
        long threads = ((long)_block.Count + 31) / 32 * 32;
        long local = threads * LocalBytes;
        if (local > MaximumLocalBlockBytes)
            throw Refuse($"The block's {threads} threads need {LocalBytes} bytes of local memory each; the emulator gives a block {MaximumLocalBlockBytes}");
        long registers = threads / 32 * _kernel.Program.Kernel.FrameBytes;
        if (registers > MaximumRegisterBlockBytes)
            throw Refuse($"The block's {threads / 32} warps need {_kernel.Program.Kernel.FrameBytes} bytes for their registers each; the emulator gives a block {MaximumRegisterBlockBytes}");
    }

    private EmulationException Refuse(string detail)
        => new(EmulationFault.Launch, detail, new EmulationSite(_kernel.Program.Module.Module.Name, _kernel.Name));

    /// <summary>
    /// Gives out blocks in order. After a fault the blocks before it still run, so that the fault that is reported does not
    /// depend on the number of workers.
    /// </summary>
    private sealed class BlockQueue(long count)
    {
        private readonly Lock _lock = new();
        private long _next;
        private long _limit = count;

        public EmulationException? FirstFault { get; private set; }

        public bool TryTake(out long rank)
        {
            lock (_lock)
            {
                rank = _next;
                if (rank >= _limit)
                    return false;
                _next++;
                return true;
            }
        }

        public void Report(long rank, EmulationException fault)
        {
            lock (_lock)
            {
                if (rank < _limit)
                {
                    _limit = rank;
                    FirstFault = fault;
                }
            }
        }
    }
}
