using System.Runtime.CompilerServices;

namespace Sprint.Engine.Cuda;

/// <summary>An array in device memory. A launch argument of this type becomes the kernel's pointer parameter.</summary>
/// <typeparam name="T">The element type, laid out on the device as in C#.</typeparam>
/// <remarks>Keep the variable alive until the stream has passed every launch that uses it.</remarks>
public sealed class CudaDeviceVariable<T> : IDisposable
    where T : unmanaged
{
    private const int ChunkElements = 1 << 16;
    private readonly DriverResource resource;

    /// <summary>Allocates device memory with undefined contents.</summary>
    /// <param name="context">The device's context.</param>
    /// <param name="length">Elements, at least 1.</param>
    /// <param name="stream">
    /// With a stream, and where the device has a memory pool, the memory comes from the pool in the stream's order and goes back in it.
    /// </param>
    /// <exception cref="CudaException">The device's memory is exhausted, or the stream is of another context.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length is less than 1.</exception>
    public CudaDeviceVariable(CudaContext context, long length, CudaStream? stream = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        Context = context;
        Length = length;
        ByteLength = checked(length * Unsafe.SizeOf<T>());
        using CudaContext.Scope scope = context.Enter();
        ICudaDriver driver = context.Driver;
        resource = stream is not null && context.Device.HasMemoryPools
            ? context.Own(
                (nint)driver.AllocateAsync(ByteLength, context.HandleOf(stream)).Address,
                stream.Owner,
                stream.Handle == default
                    ? static (owner, value, _) => owner.FreeAsync(new DevicePointer((ulong)value), default)
                    : static (owner, value, queue) => owner.FreeAsync(new DevicePointer((ulong)value), new StreamHandle(queue)))
            : context.Own((nint)driver.Allocate(ByteLength).Address, static (owner, value, _) => owner.Free(new DevicePointer((ulong)value)));
    }

    /// <summary>The device's context.</summary>
    public CudaContext Context { get; }

    /// <summary>Elements.</summary>
    public long Length { get; }

    /// <summary>Bytes.</summary>
    public long ByteLength { get; }

    /// <summary>The address of the first element.</summary>
    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    public DevicePointer DevicePointer => new((ulong)resource.Value);

    /// <summary>Copies from host memory and waits for the copy.</summary>
    /// <param name="source">As many elements as the variable has, or fewer.</param>
    /// <param name="offset">The variable's element to start at.</param>
    /// <param name="stream">The stream that orders the copy; null for the default stream.</param>
    /// <exception cref="ArgumentOutOfRangeException">The variable has not that many elements.</exception>
    /// <exception cref="CudaException">The stream is of another context, or something put in before has failed.</exception>
    public unsafe void CopyToDevice(ReadOnlySpan<T> source, long offset = 0, CudaStream? stream = null)
    {
        DevicePointer destination = Range(offset, source.Length);
        stream ??= Context.DefaultStream;
        using CudaContext.Scope scope = Context.Enter();
        fixed (T* pointer = source)
        {
            // The stream may still read when the call returns, and the span is pinned no longer than this block.
            if (source.Length > 0)
            {
                Context.Driver.CopyToDevice(destination, (nint)pointer, (long)source.Length * sizeof(T), Context.HandleOf(stream));
                stream.Wait();
            }
        }
    }

    /// <summary>Copies to host memory and waits for the copy.</summary>
    /// <param name="destination">As many elements as the variable has, or fewer.</param>
    /// <param name="offset">The variable's element to start at.</param>
    /// <param name="stream">The stream that orders the copy; null for the default stream.</param>
    /// <exception cref="ArgumentOutOfRangeException">The variable has not that many elements.</exception>
    /// <exception cref="CudaException">The stream is of another context, or something put in before has failed.</exception>
    public unsafe void CopyToHost(Span<T> destination, long offset = 0, CudaStream? stream = null)
    {
        DevicePointer source = Range(offset, destination.Length);
        stream ??= Context.DefaultStream;
        using CudaContext.Scope scope = Context.Enter();
        fixed (T* pointer = destination)
        {
            if (destination.Length > 0)
            {
                Context.Driver.CopyToHost((nint)pointer, source, (long)destination.Length * sizeof(T), Context.HandleOf(stream));
                stream.Wait();
            }
        }
    }

    /// <summary>Copies from page-locked host memory in the order of a stream, without waiting.</summary>
    /// <param name="source">As many elements as the variable has, or fewer; must stay allocated and unchanged until the stream has passed.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentOutOfRangeException">The variable has not that many elements.</exception>
    /// <exception cref="CudaException">The stream is of another context, or something put in before has failed.</exception>
    public void CopyToDeviceAsync(CudaPinnedMemory<T> source, CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(stream);
        DevicePointer destination = Range(0, source.Length);
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.CopyToDevice(destination, source.Pointer, source.ByteLength, Context.HandleOf(stream));
    }

    /// <summary>Copies to page-locked host memory in the order of a stream, without waiting.</summary>
    /// <param name="destination">As many elements as the variable has, or fewer; must stay allocated, and is undefined, until the stream has passed.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentOutOfRangeException">The variable has not that many elements.</exception>
    /// <exception cref="CudaException">The stream is of another context, or something put in before has failed.</exception>
    public void CopyToHostAsync(CudaPinnedMemory<T> destination, CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(stream);
        DevicePointer source = Range(0, destination.Length);
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.CopyToHost(destination.Pointer, source, destination.ByteLength, Context.HandleOf(stream));
    }

    /// <summary>Copies all elements of another variable in the order of a stream.</summary>
    /// <param name="source">As many elements as the variable has, or fewer.</param>
    /// <param name="stream">The stream; null for the default stream.</param>
    /// <exception cref="ArgumentOutOfRangeException">The variable has not that many elements.</exception>
    /// <exception cref="CudaException">The stream is of another context, or something put in before has failed.</exception>
    public void CopyFrom(CudaDeviceVariable<T> source, CudaStream? stream = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        DevicePointer destination = Range(0, source.Length);
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.CopyOnDevice(destination, source.DevicePointer, source.ByteLength, Context.HandleOf(stream ?? Context.DefaultStream));
    }

    /// <summary>Fills the whole variable with a byte in the order of a stream.</summary>
    /// <param name="value">The byte.</param>
    /// <param name="stream">The stream; null for the default stream.</param>
    /// <exception cref="CudaException">The stream is of another context, or something put in before has failed.</exception>
    public void Memset(byte value, CudaStream? stream = null)
    {
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.Fill(DevicePointer, value, 1, ByteLength, Context.HandleOf(stream ?? Context.DefaultStream));
    }

    /// <summary>Tells of each element whether all of it was ever written, once everything that was launched before has ended.</summary>
    /// <param name="written">Receives a value for each element from the first on; as many as the variable has, or fewer.</param>
    /// <returns>False where the device does not keep track: only an emulated one does.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The variable has not that many elements.</exception>
    public bool TryReadWritten(Span<bool> written)
    {
        DevicePointer start = Range(0, written.Length);
        int size = Unsafe.SizeOf<T>();
        using CudaContext.Scope scope = Context.Enter();
        Span<bool> bytes = new bool[Math.Min(written.Length, ChunkElements) * size];
        for (int done = 0; done < written.Length; done += ChunkElements)
        {
            Span<bool> chunk = bytes[..(Math.Min(ChunkElements, written.Length - done) * size)];
            if (!Context.Driver.TryReadWritten(new DevicePointer(start.Address + ((ulong)done * (ulong)size)), chunk))
            {
                return false;
            }

            for (int i = 0; i < chunk.Length / size; i++)
            {
                written[done + i] = !chunk.Slice(i * size, size).Contains(false);
            }
        }

        return true;
    }

    /// <summary>Frees the memory, once the device is done with it.</summary>
    public void Dispose() => resource.Dispose();

    private DevicePointer Range(long offset, long length)
    {
        if (offset < 0 || length > Length - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), offset, $"{length} elements from element {offset} on do not fit a device variable of {Length}.");
        }

        return DevicePointer.Offset(offset * Unsafe.SizeOf<T>());
    }
}
