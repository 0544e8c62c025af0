namespace Sprint.Engine.Cpu;

/// <content>Memory that a worker has to itself while it runs a piece.</content>
internal sealed unsafe partial class WorkerPool
{
    /// <summary>How deep jobs may nest and still have scratch memory of their own.</summary>
    private const int MaximumDepth = 3;

    // For each depth of nesting the workers' own, so that a nested job does not write over the memory of the one around it.
    private readonly ScratchMemory[] _scratch;
    private readonly ScratchMemory[] _nestedShared;
    private ScratchMemory _shared;

    /// <summary>
    /// Native memory for one worker, aligned to 64 bytes, with whatever the last user left in it. It grows as asked, is kept for the next
    /// job, and is valid until the same worker asks for more at the same depth of nesting.
    /// </summary>
    /// <param name="worker">The worker that <see cref="IWorkerJob.Execute"/> was told.</param>
    /// <param name="bytes">How many bytes are needed.</param>
    /// <returns>The memory's first byte.</returns>
    /// <exception cref="InvalidOperationException">More than four jobs are nested.</exception>
    public byte* Scratch(int worker, long bytes)
    {
        return _scratch[Slot(worker)].AtLeast(bytes);
    }

    /// <summary>
    /// Keeps other threads' jobs out until disposed, so that several runs can share the memory of <see cref="SharedScratch"/>.
    /// From inside a job of this pool there is nothing to keep out.
    /// </summary>
    /// <returns>What to dispose.</returns>
    public Exclusive EnterExclusive() => new(s_pool == this ? null : _gate);

    /// <summary>
    /// Native memory for what all workers share during the runs of one <see cref="EnterExclusive"/>, aligned to 64 bytes. Inside a job, where a
    /// run stays on its thread, it is memory of that worker alone.
    /// </summary>
    /// <param name="bytes">How many bytes are needed.</param>
    /// <returns>The memory's first byte.</returns>
    public byte* SharedScratch(long bytes)
    {
        if (s_pool != this)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _shared.AtLeast(bytes);
        }

        return _nestedShared[Slot(s_worker)].AtLeast(bytes);
    }

    private int Slot(int worker)
    {
        int depth = s_pool == this ? s_depth : 0;
        if (depth > MaximumDepth)
            throw new InvalidOperationException($"Jobs of a worker pool are nested {depth + 1} deep; scratch memory is there for {MaximumDepth + 1}.");

        return (depth * Threads) + worker;
    }

    private void FreeScratch()
    {
        for (int i = 0; i < _scratch.Length; i++)
            _scratch[i].Free();
        for (int i = 0; i < _nestedShared.Length; i++)
            _nestedShared[i].Free();
        _shared.Free();
    }

    private struct ScratchMemory
    {
        private byte* _memory;
        private long _bytes;

        public byte* AtLeast(long bytes)
        {
            if (bytes > _bytes)
            {
                Free();
                // Grown by steps of half again, so that slowly growing needs do not allocate each time.
                long size = Math.Max(bytes, _bytes + (_bytes / 2));
                size = (size + NativeBlock.Alignment - 1) / NativeBlock.Alignment * NativeBlock.Alignment;
                _memory = NativeBlock.Allocate(size);
                _bytes = size;
            }

            return _memory;
        }

        public void Free()
        {
            NativeBlock.Free(_memory);
            _memory = null;
            _bytes = 0;
        }
    }

    /// <summary>The time during which other threads' jobs wait.</summary>
    internal readonly ref struct Exclusive
    {
        private readonly Lock? _gate;

        public Exclusive(Lock? gate)
        {
            _gate = gate;
            gate?.Enter();
        }

        /// <summary>Lets others in.</summary>
        public void Dispose() => _gate?.Exit();
    }
}
