using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The arguments of one launch, in the order of the kernel's parameters: <c>new KernelArguments { x, ids, width, 1e-6f }</c>.
/// Each value goes into one block of bytes at its natural alignment, as the kernel reads it; nothing is boxed or allocated.
/// </summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "Enumerable only so that it can be written as a collection initializer.")]
public ref struct KernelArguments : IEnumerable<KernelParameter>
{
    // What every driver takes (CUDA C++ Programming Guide, "Function Parameters").
    private const int MaximumBytes = 4096;
    private const int MaximumCount = 64;

    private ByteBlock bytes;
    private ParameterBlock parameters;
    private int byteCount;
    private int count;

    /// <summary>Arguments added so far.</summary>
    public readonly int Count => count;

    /// <summary>The block of bytes.</summary>
    [UnscopedRef]
    internal readonly ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)bytes)[..byteCount];

    /// <summary>Where each argument lies in the block.</summary>
    [UnscopedRef]
    internal readonly ReadOnlySpan<KernelParameter> Parameters => ((ReadOnlySpan<KernelParameter>)parameters)[..count];

    /// <summary>Adds a number, a <see cref="DevicePointer"/>, or a structure by value.</summary>
    /// <typeparam name="T">The type, laid out as the kernel's parameter.</typeparam>
    /// <param name="value">The value.</param>
    /// <exception cref="SprintException">There are more than 64 arguments, or more than 4,096 bytes of them.</exception>
    public void Add<T>(T value)
        where T : unmanaged
    {
        int alignment = Unsafe.SizeOf<Aligned<T>>() - Unsafe.SizeOf<T>();
        int offset = (byteCount + alignment - 1) / alignment * alignment;
        if (count == MaximumCount || offset + Unsafe.SizeOf<T>() > MaximumBytes)
        {
            throw new SprintException($"A launch takes at most {MaximumCount} arguments of {MaximumBytes} bytes in all: pass a pointer to device memory instead.");
        }

        MemoryMarshal.Write(((Span<byte>)bytes)[offset..], in value);
        parameters[count++] = new KernelParameter(offset, Unsafe.SizeOf<T>(), KindOf<T>());
        byteCount = offset + Unsafe.SizeOf<T>();
    }

    /// <summary>Adds a pointer to a device variable.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="variable">The variable; it must stay alive until the stream has passed the launch.</param>
    public void Add<T>(CudaDeviceVariable<T> variable)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(variable);
        Add(variable.DevicePointer);
    }

    /// <summary>Adds a pointer to a tensor's elements; the null pointer for an empty handle.</summary>
    /// <param name="tensor">A tensor of a <see cref="CudaDevice"/>; it must stay alive until the launch is in its stream.</param>
    public void Add(Tensor tensor) => Add(tensor.IsEmpty ? DevicePointer.Null : new DevicePointer((ulong)tensor.Address));

    /// <summary>Adds true as 1 and false as 0 in one byte, a C++ bool.</summary>
    /// <param name="value">The value.</param>
    public void Add(bool value) => Add(value ? (byte)1 : (byte)0);

    /// <summary>Where each argument lies in the block.</summary>
    public readonly IEnumerator<KernelParameter> GetEnumerator() => ((IEnumerable<KernelParameter>)Parameters.ToArray()).GetEnumerator();

    readonly IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static KernelParameterKind KindOf<T>()
    {
        if (typeof(T) == typeof(float) || typeof(T) == typeof(double))
        {
            return KernelParameterKind.FloatingPoint;
        }

        return typeof(T).IsPrimitive || typeof(T).IsEnum || typeof(T) == typeof(DevicePointer)
            ? KernelParameterKind.IntegerOrPointer
            : KernelParameterKind.Bytes;
    }

    [InlineArray(MaximumBytes)]
    private struct ByteBlock
    {
        private byte first;
    }

    [InlineArray(MaximumCount)]
    private struct ParameterBlock
    {
        private KernelParameter first;
    }

    // Its size less T's own is T's alignment.
    [StructLayout(LayoutKind.Sequential)]
    private struct Aligned<T>
        where T : unmanaged
    {
        private byte before;
        private T value;
    }
}
