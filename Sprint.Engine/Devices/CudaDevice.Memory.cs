using System.Diagnostics.CodeAnalysis;
using Sprint.Engine.Cuda;

namespace Sprint.Engine;

/// <content>Memory: blocks from the device's cache or captured work's own, poisoned and guarded in tests.</content>
public sealed unsafe partial class CudaDevice
{
    private const int BlockGranularity = 512;
    private const byte Guard = 0xA5;

    // Blocks whose guards are part of a graph: in memory once it has run, and never if its capture was broken off.
    private readonly HashSet<nint> capturedGuards = [];

    private int GuardBytes => GuardsMemory ? BlockGranularity : 0;

    /// <inheritdoc/>
    protected override nint AcquireMemory(long bytes, MemoryCategory category)
    {
        long held = bytes + GuardBytes;
        if (!TryAcquire(held, out nint block, out CudaException? exhausted))
        {
            // Spare blocks of other sizes may be all that is missing, or what captured work keeps for itself while it does not run.
            if (!isCapturing)
            {
                cache.Trim();
                source.Trim();
                foreach (CudaReplay replay in replays.Where(static replay => !replay.IsRunning))
                {
                    replay.Forget();
                }
            }

            if (isCapturing || !TryAcquire(held, out block, out exhausted))
            {
                throw OutOfMemory(bytes, category, exhausted);
            }
        }

        using CudaContext.Scope scope = Context.Enter();
        long size = cache.SizeOf(held);
        if (PoisonsMemory)
        {
            Context.Driver.Fill(new DevicePointer((ulong)block), 0xFF, 1, size, Stream.Handle);
        }

        Context.Driver.Discard(new DevicePointer((ulong)block), size, Stream.Handle);
        if (GuardsMemory)
        {
            Context.Driver.Fill(new DevicePointer((ulong)(block + bytes)), Guard, 1, GuardBytes, Stream.Handle);
            if (isCapturing)
            {
                capturedGuards.Add(block);
            }
        }

        return block;
    }

    /// <inheritdoc/>
    /// <exception cref="CudaException">With <see cref="GuardsMemory"/>: something wrote behind the block.</exception>
    protected override void ReleaseMemory(nint address, long bytes)
    {
        replayBlocks.GetValueOrDefault(address, cache).Release(address, bytes + GuardBytes);
        bool hasGuard = GuardsMemory && !capturedGuards.Remove(address);
        if (hasGuard && !isCapturing)
        {
            CheckGuard(address, bytes);
        }
    }

    private static string Mebibytes(long bytes) => $"{bytes / 1048576.0:0.#} MiB";

    private void CheckGuard(nint address, long bytes)
    {
        byte* band = stackalloc byte[GuardBytes];
        try
        {
            using CudaContext.Scope scope = Context.Enter();
            Context.Driver.CopyToHost((nint)band, new DevicePointer((ulong)(address + bytes)), GuardBytes, Stream.Handle);
            Stream.Wait();
        }
        catch (CudaException failure) when (failure.IsContextLost)
        {
            // What lost the context has been or will be thrown where somebody waits.
            return;
        }

        int first = new ReadOnlySpan<byte>(band, GuardBytes).IndexOfAnyExcept(Guard);
        if (first >= 0)
        {
            throw new CudaException($"{Name}: something wrote {first} bytes behind the end of a block of {bytes} bytes at 0x{address:X}.");
        }
    }

    private bool TryAcquire(long bytes, out nint block, [NotNullWhen(false)] out CudaException? exhausted)
    {
        try
        {
            (block, exhausted) = (source.Acquire(bytes), null);
            return true;
        }
        catch (CudaException failure) when (failure.ErrorCode == DriverStatus.OutOfMemory)
        {
            (block, exhausted) = (0, failure);
            return false;
        }
    }

    private nint AllocateReplayBlock(long size, CudaReplay owner)
    {
        nint block = AllocateBlock(size);
        replayBlocks.Add(block, owner.Memory);
        return block;
    }

    private void FreeReplayBlock(nint block)
    {
        replayBlocks.Remove(block);
        FreeBlock(block);
    }

    private nint AllocateBlock(long size)
    {
        using CudaContext.Scope scope = Context.Enter();
        nint block = (nint)Context.Driver.Allocate(size).Address;
        SystemAllocations++;
        return block;
    }

    private void FreeBlock(nint block)
    {
        try
        {
            using CudaContext.Scope scope = Context.Enter();
            Context.Driver.Free(new DevicePointer((ulong)block));
        }
        catch (CudaException failure) when (failure.IsContextLost)
        {
            // The memory is gone with the context, and what lost it has been or will be thrown where somebody waits.
        }
    }

    private SprintException OutOfMemory(long bytes, MemoryCategory category, CudaException cause)
    {
        using CudaContext.Scope scope = Context.Enter();
        CudaMemoryInformation memory = Context.Driver.GetMemoryInformation();
        (string purpose, string advice) = category switch
        {
            MemoryCategory.Activation => ("activations", "lower batch_size, raise gradient_accumulation_steps so that a micro-batch is smaller, or set use_checkpoint to true"),
            MemoryCategory.Workspace => ("the workspace of an operation", "lower batch_size"),
            MemoryCategory.Parameter => ("parameters", "lower the model's hidden_size or middle_depth"),
            MemoryCategory.Gradient => ("gradients of parameters", "lower the model's hidden_size or middle_depth"),
            _ => ("the optimizer's moments", "lower the model's hidden_size or middle_depth"),
        };
        return new SprintException(
            $"{Name}: no memory for another {Mebibytes(bytes)} of {purpose}: tensors hold {Mebibytes(Account.LiveBytes)}, {Mebibytes(memory.FreeBytes)} of {Mebibytes(memory.TotalBytes)} are free: {advice}",
            cause);
    }

    /// <summary>Ends the time in which memory comes from a cache of somebody's own.</summary>
    internal readonly ref struct MemoryScope(CudaDevice device, BlockCache before)
    {
        public void Dispose() => device.source = before;
    }
}
