using System.Runtime.InteropServices;
using Sprint.Engine.Emulation;

namespace Sprint.Engine.Cuda;

/// <content>
/// Memory. Copies to and from page-locked host memory read and write it when they run. Copies of other host memory have run when the call returns, as
/// CUDA documents them ("API synchronization behavior").
/// </content>
internal sealed partial class EmulatedCudaDriver
{
    private const int ChunkBytes = 1 << 30;

    /// <inheritdoc/>
    public CudaMemoryInformation GetMemoryInformation()
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        return new CudaMemoryInformation(context.Memory.Capacity - context.Memory.AllocatedBytes, context.Memory.Capacity);
    }

    /// <inheritdoc/>
    public DevicePointer Allocate(long bytes) => AllocateIn(Current(), bytes, nameof(Allocate));

    /// <inheritdoc/>
    public void Free(DevicePointer pointer)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        context.RefuseInCapture(nameof(Free));
        try
        {
            context.RunAll();
        }
        finally
        {
            Checked(() => context.Memory.Free(pointer.Address));
        }
    }

    /// <summary>Allocates. The emulated pool keeps nothing back: what is freed is free.</summary>
    public DevicePointer AllocateAsync(long bytes, StreamHandle stream)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        context.GetStream(stream);
        return AllocateIn(context, bytes, nameof(AllocateAsync));
    }

    /// <inheritdoc/>
    public void FreeAsync(DevicePointer pointer, StreamHandle stream)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        context.RefuseInCapture(nameof(FreeAsync));
        EmulatedStream target = context.GetStream(stream);
        if (context.IsLost)
        {
            Checked(() => context.Memory.Free(pointer.Address));
            return;
        }

        Require(context, pointer, 0, "freed");
        EmulatedContext.Enqueue(target, new StreamAction(() => Asynchronous(nameof(FreeAsync), () => context.Memory.Free(pointer.Address))));
    }

    /// <inheritdoc/>
    public void TrimMemoryPool() => Current();

    /// <inheritdoc/>
    public nint AllocatePinned(long bytes)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        context.RefuseInCapture(nameof(AllocatePinned));
        PinnedMemory pinned = new(bytes);
        context.Pinned.Add(pinned.Start, pinned);
        return pinned.Start;
    }

    /// <inheritdoc/>
    public void FreePinned(nint pointer)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        if (!context.Pinned.Remove(pointer, out PinnedMemory? pinned))
        {
            throw InvalidValue($"Page-locked memory at 0x{pointer:x} was freed that was never allocated or was freed before.");
        }

        pinned.Free();
    }

    /// <inheritdoc/>
    public void CopyToDevice(DevicePointer destination, nint source, long bytes, StreamHandle stream)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        Require(context, destination, bytes, "written");
        CopyWithHost(context, stream, source, bytes, nameof(CopyToDevice), () => Write(context.Memory, destination.Address, source, bytes));
    }

    /// <inheritdoc/>
    public void CopyToHost(nint destination, DevicePointer source, long bytes, StreamHandle stream)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        Require(context, source, bytes, "read");
        CopyWithHost(context, stream, destination, bytes, nameof(CopyToHost), () => Read(context.Memory, source.Address, destination, bytes));
    }

    /// <inheritdoc/>
    public void CopyOnDevice(DevicePointer destination, DevicePointer source, long bytes, StreamHandle stream)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        Require(context, source, bytes, "read");
        Require(context, destination, bytes, "written");
        Enqueue(context, stream, nameof(CopyOnDevice), () => context.Memory.Copy(destination.Address, source.Address, bytes));
    }

    /// <inheritdoc/>
    public void Fill(DevicePointer destination, uint value, int elementBytes, long count, StreamHandle stream)
    {
        if (elementBytes is not (1 or 2 or 4))
        {
            throw new ArgumentOutOfRangeException(nameof(elementBytes), elementBytes, "Device memory is filled with elements of 1, 2 or 4 bytes.");
        }

        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        Require(context, destination, elementBytes * count, "filled");
        if (destination.Address % (ulong)elementBytes != 0)
        {
            throw InvalidValue($"Device memory at {destination} is filled with elements of {elementBytes} bytes, but is not aligned to them.");
        }

        Enqueue(context, stream, nameof(Fill), () => context.Memory.Fill(destination.Address, value, elementBytes, count));
    }

    /// <inheritdoc/>
    public void Discard(DevicePointer destination, long bytes, StreamHandle stream)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        Require(context, destination, bytes, "discarded");
        Enqueue(context, stream, nameof(Discard), () => context.Memory.Poison(destination.Address, bytes));
    }

    /// <inheritdoc/>
    public bool TryReadWritten(DevicePointer pointer, Span<bool> written)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        context.RunAll();
        context.Memory.ReadInitialised(pointer.Address, written);
        return true;
    }

    private static DevicePointer AllocateIn(EmulatedContext context, long bytes, string call)
    {
        lock (context.Gate)
        {
            context.RequireUsable();
            context.RefuseInCapture(call);
            if (bytes > context.Memory.Capacity - context.Memory.AllocatedBytes)
            {
                // What streams are going to free is free once they have run.
                context.RunAll();
            }

            if (bytes > context.Memory.Capacity - context.Memory.AllocatedBytes)
            {
                throw DriverStatus.OutOfMemoryFailure(call, bytes, new CudaMemoryInformation(context.Memory.Capacity - context.Memory.AllocatedBytes, context.Memory.Capacity));
            }

            ulong address = 0;
            Checked(() => address = context.Memory.Allocate(bytes));
            return new DevicePointer(address);
        }
    }

    private static void CopyWithHost(EmulatedContext context, StreamHandle stream, nint host, long bytes, string call, Action copy)
    {
        EmulatedStream target = context.GetStream(stream);
        PinnedMemory? pinned = context.Pinned.Values.FirstOrDefault(memory => memory.Holds(host, bytes));
        if (pinned is null && target.Capture is { } capture)
        {
            throw capture.Spoil($"{call} can be captured with page-locked host memory only");
        }

        Enqueue(context, stream, call, () =>
        {
            if (pinned is { IsFreed: true })
            {
                throw new SprintException($"{bytes} bytes are copied to or from page-locked host memory that was freed before the copy ran: synchronise first");
            }

            copy();
        });
        if (pinned is null)
        {
            context.Run(target);
        }
    }

    private static void Enqueue(EmulatedContext context, StreamHandle stream, string call, Action action)
    {
        context.RequireUsable();
        EmulatedContext.Enqueue(context.GetStream(stream), new StreamAction(() => Asynchronous(call, action)));
    }

    private static void Asynchronous(string call, Action action)
    {
        try
        {
            action();
        }
        catch (SprintException failure)
        {
            throw new CudaException($"{call} failed when it ran: {failure.Message.TrimEnd('.')}; the emulated device's context is lost: open another.", failure)
            {
                ErrorCode = DriverStatus.IllegalAddress,
                ErrorName = "CUDA_ERROR_ILLEGAL_ADDRESS",
                Call = call,
                IsContextLost = true,
            };
        }
    }

    private static void Require(EmulatedContext context, DevicePointer pointer, long bytes, string action)
    {
        context.RequireUsable();
        Checked(() => context.Memory.Require(pointer.Address, bytes, action));
    }

    private static void Checked(Action action)
    {
        try
        {
            action();
        }
        catch (SprintException failure)
        {
            throw new CudaException(failure.Message, failure) { ErrorCode = DriverStatus.InvalidValue, ErrorName = "CUDA_ERROR_INVALID_VALUE" };
        }
    }

    private static unsafe void Write(EmulatedMemory memory, ulong destination, nint source, long bytes)
    {
        for (long done = 0; done < bytes; done += ChunkBytes)
        {
            memory.Write(destination + (ulong)done, new ReadOnlySpan<byte>((byte*)source + done, (int)Math.Min(ChunkBytes, bytes - done)));
        }
    }

    private static unsafe void Read(EmulatedMemory memory, ulong source, nint destination, long bytes)
    {
        for (long done = 0; done < bytes; done += ChunkBytes)
        {
            memory.Read(source + (ulong)done, new Span<byte>((byte*)destination + done, (int)Math.Min(ChunkBytes, bytes - done)));
        }
    }
}

/// <summary>Page-locked host memory, which for an emulated device is plain host memory.</summary>
internal sealed unsafe class PinnedMemory
{
    private const int Alignment = 4096;

    private readonly long size;

    public PinnedMemory(long bytes)
    {
        size = bytes;
        Start = (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);

        // Undefined contents: NaN in every floating-point type, so that what is read too early is seen.
        NativeMemory.Fill((void*)Start, (nuint)bytes, 0xFF);
    }

    public nint Start { get; }

    public bool IsFreed { get; private set; }

    public bool Holds(nint address, long bytes) => address >= Start && address - Start <= size - bytes;

    public void Free()
    {
        IsFreed = true;
        NativeMemory.AlignedFree((void*)Start);
    }
}
