namespace Sprint.Engine.Cpu;

/// <content>Memory that a worker has to itself while it runs a piece.</content>
internal sealed unsafe partial class WorkerPool
{
    /// <summary>How deep jobs may nest and still have scratch memory of their own.</summary>
    private const int MaximumDepth = 3;

    // For each depth of nesting the workers' own, so that a nested job does not write over the memory of the one around it.
    private readonly ScratchMemory[] scratch;
    private readonly ScratchMemory[] nestedShared;
    private ScratchMemory shared;

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
        return scratch[Slot(worker)].AtLeast(bytes);
    }

    /// <summary>
    /// Keeps other threads' jobs out until disposed, so that several runs can share the memory of <see cref="SharedScratch"/>.
    /// From inside a job of this pool there is nothing to keep out.
    /// </summary>
    /// <returns>What to dispose.</returns>
    public Exclusive EnterExclusive() => new(currentPool == this ? null : gate);

    /// <summary>
    /// Native memory for what all workers share during the runs of one <see cref="EnterExclusive"/>, aligned to 64 bytes. Inside a job, where a
    /// run stays on its thread, it is memory of that worker alone.
    /// </summary>
    /// <param name="bytes">How many bytes are needed.</param>
    /// <returns>The memory's first byte.</returns>
    public byte* SharedScratch(long bytes)
    {
        if (currentPool != this)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return shared.AtLeast(bytes);
        }

        return nestedShared[Slot(currentWorker)].AtLeast(bytes);
    }

    private int Slot(int worker)
    {
        int depth = currentPool == this ? currentDepth : 0;
        if (depth > MaximumDepth)
            throw new InvalidOperationException($"Jobs of a worker pool are nested {depth + 1} deep; scratch memory is there for {MaximumDepth + 1}.");

        return (depth * Threads) + worker;
    }

    private void FreeScratch()
    {
        for (int i = 0; i < scratch.Length; i++)
            scratch[i].Free();
        for (int i = 0; i < nestedShared.Length; i++)
            nestedShared[i].Free();
        shared.Free();
    }

    private struct ScratchMemory
    {
        private byte* memory;
        private long bytes;

        public byte* AtLeast(long bytes)
        {
            if (bytes > this.bytes)
            {
                Free();
                // Grown by steps of half again, so that slowly growing needs do not allocate each time.
                long size = Math.Max(bytes, this.bytes + (this.bytes / 2));
                size = (size + NativeBlock.Alignment - 1) / NativeBlock.Alignment * NativeBlock.Alignment;
                memory = NativeBlock.Allocate(size);
                this.bytes = size;
            }

            return memory;
        }

        public void Free()
        {
            NativeBlock.Free(memory);
            memory = null;
            bytes = 0;
        }
    }

    /// <summary>The time during which other threads' jobs wait.</summary>
    internal readonly ref struct Exclusive
    {
        private readonly Lock? gate;

        public Exclusive(Lock? gate)
        {
            this.gate = gate;
            gate?.Enter();
        }

        /// <summary>Lets others in.</summary>
        public void Dispose() => gate?.Exit();
    }
}
