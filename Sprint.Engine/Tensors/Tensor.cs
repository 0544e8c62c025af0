using System.Runtime.CompilerServices;

namespace Sprint.Engine;

/// <summary>
/// A handle on a dense, row-major array of numbers on a <see cref="Device"/>. There are no views and no strides.
/// Handles are counted: who creates a tensor disposes it (<c>using var y = ...</c>), the tape retains what the backward pass
/// needs, and the memory returns to the device's pool with the last of them. A handle used after that throws.
/// </summary>
public readonly struct Tensor : IDisposable, IEquatable<Tensor>
{
    private readonly TensorBody? body;
    private readonly int generation;

    internal Tensor(TensorBody body)
    {
        this.body = body;
        generation = body.Generation;
    }

    /// <summary>Whether this is <c>default</c>: no tensor at all.</summary>
    public bool IsEmpty => body is null;

    /// <summary>Where the tensor lives.</summary>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public Device Device => Body.Device;

    /// <summary>The lengths of the dimensions.</summary>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public Shape Shape => Body.Shape;

    /// <summary>What the elements are.</summary>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public ElementType ElementType => Body.ElementType;

    /// <summary>The number of elements.</summary>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public long Count => Body.Shape.Count;

    /// <summary>Whether a gradient is computed for this tensor.</summary>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public bool RequiresGradient => Body.RequiresGradient;

    /// <summary>The address of the elements in the memory of the device; 0 on <c>dryrun</c>.</summary>
    /// <exception cref="ObjectDisposedException">The tensor or its device has been disposed.</exception>
    public nint Address
    {
        get
        {
            TensorBody live = Body;
            ObjectDisposedException.ThrowIf(live.DataReferences <= 0, typeof(Tensor));
            ObjectDisposedException.ThrowIf(live.Device.IsDisposed, live.Device);
            return live.Address;
        }
    }

    /// <summary>Bytes of the elements; 0 for no tensor at all.</summary>
    internal long Bytes => IsEmpty ? 0 : Body.Bytes;

    internal TensorBody Body
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (body is null || body.Generation != generation)
            {
                ThrowGone();
            }

            return body!;
        }
    }

    /// <summary>Whether two handles name the same tensor.</summary>
    public static bool operator ==(Tensor left, Tensor right) => left.Equals(right);

    /// <summary>Whether two handles name different tensors.</summary>
    public static bool operator !=(Tensor left, Tensor right) => !left.Equals(right);

    /// <summary>Another counted handle on the same elements; each of the two is disposed by its owner.</summary>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public Tensor Retain()
    {
        TensorBody live = Body;
        ObjectDisposedException.ThrowIf(live.DataReferences <= 0, typeof(Tensor));
        live.DataReferences++;
        return this;
    }

    /// <summary>Gives this handle back. With the last one the memory returns to the pool. <c>default</c> is ignored.</summary>
    /// <exception cref="ObjectDisposedException">Every handle has been given back already.</exception>
    public void Dispose()
    {
        if (body is not null)
        {
            Body.Device.ReleaseData(body);
        }
    }

    /// <summary>Copies elements from host memory to the tensor.</summary>
    /// <typeparam name="T"><c>float</c>, <c>int</c> or <c>ushort</c> (the bits of a bfloat16), as the element type is.</typeparam>
    /// <param name="source">Exactly <see cref="Count"/> elements.</param>
    /// <exception cref="ArgumentException">The length or the type does not fit.</exception>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public unsafe void CopyFrom<T>(ReadOnlySpan<T> source)
        where T : unmanaged
    {
        CheckHostElements<T>(source.Length);
        fixed (T* elements = source)
        {
            Device.CopyFromHost(this, elements, source.Length * (long)sizeof(T));
        }
    }

    /// <summary>Copies the elements to host memory, after waiting for the device.</summary>
    /// <typeparam name="T"><c>float</c>, <c>int</c> or <c>ushort</c> (the bits of a bfloat16), as the element type is.</typeparam>
    /// <param name="destination">Exactly <see cref="Count"/> elements.</param>
    /// <exception cref="ArgumentException">The length or the type does not fit.</exception>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public unsafe void CopyTo<T>(Span<T> destination)
        where T : unmanaged
    {
        CheckHostElements<T>(destination.Length);
        fixed (T* elements = destination)
        {
            Device.CopyToHost(this, elements, destination.Length * (long)sizeof(T));
        }
    }

    /// <summary>Copies the elements to another tensor, in the order of the device's work and without waiting for it.</summary>
    /// <param name="destination">A tensor of the same shape and element type on the same device.</param>
    /// <exception cref="ArgumentException">It is not.</exception>
    /// <exception cref="ObjectDisposedException">One of the two has been disposed.</exception>
    public void CopyTo(Tensor destination)
    {
        if (destination.Shape != Shape || destination.ElementType != ElementType || !ReferenceEquals(destination.Device, Device))
        {
            throw new ArgumentException($"{this} cannot be copied to {destination}");
        }

        Device.Copy(this, destination);
    }

    /// <summary>The elements as a new array, those of a bfloat16 tensor widened.</summary>
    /// <returns><see cref="Count"/> numbers.</returns>
    /// <exception cref="ArgumentException">The elements are integers.</exception>
    /// <exception cref="ObjectDisposedException">The tensor has been disposed.</exception>
    public float[] ToArray()
    {
        var values = new float[checked((int)Count)];
        if (ElementType == ElementType.BFloat16)
        {
            var bits = new ushort[values.Length];
            CopyTo<ushort>(bits);
            for (int i = 0; i < bits.Length; i++)
            {
                values[i] = BrainFloat.Widen(bits[i]);
            }
        }
        else
        {
            CopyTo<float>(values);
        }

        return values;
    }

    /// <inheritdoc/>
    public bool Equals(Tensor other) => ReferenceEquals(body, other.body) && generation == other.generation;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Tensor other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(body is null ? 0 : RuntimeHelpers.GetHashCode(body), generation);

    /// <summary>Element type, shape and device: <c>Float32[32, 64, 128] on cpu</c>.</summary>
    public override string ToString() =>
        body is null || body.Generation != generation ? "no tensor" : $"{body.ElementType}{body.Shape} on {body.Device.Name}";

    private static void ThrowGone() => throw new ObjectDisposedException(nameof(Tensor), "the tensor is empty or has been disposed");

    private void CheckHostElements<T>(int length)
        where T : unmanaged
    {
        bool fits = ElementType switch
        {
            ElementType.Float32 => typeof(T) == typeof(float),
            ElementType.BFloat16 => typeof(T) == typeof(ushort),
            _ => typeof(T) == typeof(int),
        };
        if (!fits || length != Count)
        {
            throw new ArgumentException($"{length} elements of {typeof(T).Name} do not fit {this}");
        }
    }
}
