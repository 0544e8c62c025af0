using System.Runtime.CompilerServices;

namespace Sprint.Engine.Cuda;

/// <summary>Page-locked host memory: copies to and from it run beside kernels and at the bus' full speed.</summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class CudaPinnedMemory<T> : IDisposable
    where T : unmanaged
{
    private readonly DriverResource resource;

    /// <summary>Allocates page-locked memory with undefined contents.</summary>
    /// <param name="context">The device's context.</param>
    /// <param name="length">Elements, at least 1.</param>
    /// <exception cref="CudaException">The system cannot lock that much memory.</exception>
    public CudaPinnedMemory(CudaContext context, int length)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        Length = length;
        ByteLength = (long)length * Unsafe.SizeOf<T>();
        using CudaContext.Scope scope = context.Enter();
        resource = context.Own(context.Driver.AllocatePinned(ByteLength), static (driver, value, _) => driver.FreePinned(value));
    }

    /// <summary>Elements.</summary>
    public int Length { get; }

    /// <summary>Bytes.</summary>
    public long ByteLength { get; }

    /// <summary>The elements. The span must not be used after the memory was disposed.</summary>
    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    public unsafe Span<T> Span => new((void*)resource.Value, Length);

    internal nint Pointer => resource.Value;

    /// <summary>Frees the memory. No copy to or from it may still be under way.</summary>
    public void Dispose() => resource.Dispose();
}
