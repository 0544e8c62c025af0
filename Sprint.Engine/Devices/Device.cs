using System.Diagnostics.CodeAnalysis;

namespace Sprint.Engine;

/// <summary>
/// Where tensors live and operations run. A device owns a caching pool of memory, an <see cref="Account"/> of what ran, and
/// for each operation an implementation of its kernels, which can be replaced with <see cref="Register{TKernels}"/>.
/// A device is used by one thread at a time; the work of an operation is spread over cores or a GPU inside it.
/// </summary>
public abstract class Device : IDisposable
{
    private readonly List<TensorBody> bodies = [];
    private readonly Stack<TensorBody> spareBodies = new();
    private object?[] kernels = new object?[32];

    /// <summary>Devices are the engine's own: what others replace are kernels, with <see cref="Register{TKernels}"/>.</summary>
    private protected Device() => Account = new Account(this);

    /// <summary>The name users give: <c>cpu</c>, <c>dryrun</c>, <c>cuda:0</c>.</summary>
    public abstract string Name { get; }

    /// <summary>One line about the hardware behind the device, for people.</summary>
    public abstract string Description { get; }

    /// <summary>Whether operations compute numbers; false where only shapes and costs are followed (<c>dryrun</c>).</summary>
    public abstract bool Executes { get; }

    /// <summary>Whether operations take tensors of an element type.</summary>
    /// <param name="type">The element type.</param>
    public virtual bool Computes(ElementType type) => true;

    /// <summary>Whether operations return before they have run, so that whoever reads a result waits for all that came before.</summary>
    public virtual bool IsAsynchronous => false;

    /// <summary>What ran on the device and the memory it holds.</summary>
    public Account Account { get; }

    /// <summary>Whether the device has been disposed, and every tensor's memory with it.</summary>
    internal bool IsDisposed { get; private set; }

    /// <summary>Puts an implementation of an operation's kernels in the place of the present one.</summary>
    /// <typeparam name="TKernels">The interface of the operation's kernels, e.g. <c>IAttentionKernels</c>.</typeparam>
    /// <param name="implementation">What to run from now on.</param>
    public void Register<TKernels>(TKernels implementation)
        where TKernels : class
    {
        ArgumentNullException.ThrowIfNull(implementation);
        int index = KernelSlot<TKernels>.Index;
        if (index >= kernels.Length)
        {
            Array.Resize(ref kernels, Math.Max(index + 1, 2 * kernels.Length));
        }

        kernels[index] = implementation;
    }

    /// <summary>The implementation of an operation's kernels on this device.</summary>
    /// <typeparam name="TKernels">The interface of the operation's kernels.</typeparam>
    /// <exception cref="SprintException">The device has no such kernels.</exception>
    public TKernels Kernels<TKernels>()
        where TKernels : class
    {
        int index = KernelSlot<TKernels>.Index;
        return (TKernels?)(index < kernels.Length ? kernels[index] : null)
            ?? throw new SprintException($"device {Name} has no implementation of {typeof(TKernels).Name}");
    }

    /// <summary>Whether the device has an implementation of an operation's kernels.</summary>
    /// <typeparam name="TKernels">The interface of the operation's kernels.</typeparam>
    public bool HasKernels<TKernels>()
        where TKernels : class
    {
        int index = KernelSlot<TKernels>.Index;
        return index < kernels.Length && kernels[index] is not null;
    }

    /// <summary>A new tensor with undefined elements.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="elementType">Its element type.</param>
    /// <param name="category">What the memory is accounted as.</param>
    /// <returns>A tensor that the caller disposes.</returns>
    /// <exception cref="SprintException">The memory is exhausted.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public Tensor Allocate(
        Shape shape, ElementType elementType = ElementType.Float32, MemoryCategory category = MemoryCategory.Activation)
    {
        if (shape.Rank == 0)
        {
            throw new ArgumentException("a tensor needs a shape", nameof(shape));
        }

        ObjectDisposedException.ThrowIf(IsDisposed, this);
        long bytes = shape.Count * elementType.Size();
        nint address = AcquireMemory(bytes, category);
        if (!spareBodies.TryPop(out TensorBody? body))
        {
            bodies.Add(body = new TensorBody(this));
        }

        body.Shape = shape;
        body.ElementType = elementType;
        body.GradientType = elementType;
        body.Category = category;
        body.Address = address;
        body.Bytes = bytes;
        body.DataReferences = 1;
        Account.Allocated(category, bytes);
        return new Tensor(body);
    }

    /// <summary>A new float32 tensor with given elements.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="values">Exactly as many elements as the shape has.</param>
    /// <returns>A tensor that the caller disposes.</returns>
    public Tensor From(Shape shape, ReadOnlySpan<float> values)
    {
        using Tensor tensor = Allocate(shape);
        tensor.CopyFrom(values);
        return tensor.Retain();
    }

    /// <summary>A new int32 tensor with given elements.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="values">Exactly as many elements as the shape has.</param>
    /// <returns>A tensor that the caller disposes.</returns>
    public Tensor From(Shape shape, ReadOnlySpan<int> values)
    {
        using Tensor tensor = Allocate(shape, ElementType.Int32);
        tensor.CopyFrom(values);
        return tensor.Retain();
    }

    /// <summary>Waits until everything dispatched so far is done.</summary>
    public abstract void Synchronize();

    /// <summary>Returns cached, unused memory to the system.</summary>
    public abstract void Trim();

    /// <summary>
    /// Frees all memory, that of tensors that still live included: reading one of them throws from now on, disposing it does nothing.
    /// </summary>
    public void Dispose()
    {
        if (!IsDisposed)
        {
            IsDisposed = true;
            foreach (TensorBody body in bodies)
            {
                if (body.DataReferences > 0)
                {
                    ReleaseMemory(body.Address, body.Bytes);
                    Account.Freed(body.Category, body.Bytes);
                    body.Address = 0;
                }
            }

            Dispose(true);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Reports the cost of an operation and says whether to run it. Operations call this first:
    /// <c>if (device.Dispatch(cost)) { device.Kernels&lt;...&gt;().Forward(...); }</c>.
    /// </summary>
    /// <param name="cost">What the operation computes and moves.</param>
    /// <returns><see cref="Executes"/>.</returns>
    public bool Dispatch(in OperationCost cost)
    {
        Account.Report(cost);
        return Executes;
    }

    /// <summary>
    /// Prepares work to be run many times with the same shapes. A device with graphs captures it after two runs and replays it from then on, with
    /// the same bits; every other runs it each time. The work must neither copy from or to the host nor wait; all that it reads or leaves lies in
    /// tensors that live as long as it does.
    /// </summary>
    /// <param name="work">What to run.</param>
    /// <param name="undo">Puts what the host noted of the work back to what it was before, should a capture be broken off.</param>
    /// <returns>The work, which the caller disposes before what it reads.</returns>
    public virtual ReplayedWork Replay(Action work, Action undo) => new(work);

    /// <summary>A point in the device's queue, for the time between two of them.</summary>
    /// <returns>The mark, which the caller disposes.</returns>
    public virtual TimeMark Mark() => new();

    /// <summary>Copies bytes from the host to a tensor of this device. A pointer, as a span of bytes ends at 2 GiB.</summary>
    internal abstract unsafe void CopyFromHost(Tensor destination, void* source, long bytes);

    /// <summary>Copies a tensor of this device to the host, after waiting for what computes it.</summary>
    internal abstract unsafe void CopyToHost(Tensor source, void* destination, long bytes);

    /// <summary>Copies a tensor to another of the same size on this device.</summary>
    internal abstract void Copy(Tensor source, Tensor destination);

    /// <summary>Sets every byte of a tensor of this device to zero.</summary>
    internal abstract void Clear(Tensor destination);

    internal void ReleaseData(TensorBody body)
    {
        if (IsDisposed)
        {
            return;
        }

        ObjectDisposedException.ThrowIf(body.DataReferences <= 0, typeof(Tensor));
        if (--body.DataReferences == 0)
        {
            ReleaseMemory(body.Address, body.Bytes);
            Account.Freed(body.Category, body.Bytes);
            body.Address = 0;
            Recycle(body);
        }
    }

    internal void ReleaseSlot(TensorBody body)
    {
        body.SlotReferences--;
        Recycle(body);
    }

    /// <summary>Frees what the device holds.</summary>
    /// <param name="disposing">Whether called from <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);

    /// <summary>Memory for a new tensor, from the cache where it has any of that size.</summary>
    /// <param name="bytes">At least 0.</param>
    /// <param name="category">What the memory is for, to be named where there is none left.</param>
    /// <returns>The address, or 0 where the device keeps no storage.</returns>
    protected abstract nint AcquireMemory(long bytes, MemoryCategory category);

    /// <summary>Takes memory back into the cache.</summary>
    /// <param name="address">What <see cref="AcquireMemory"/> returned.</param>
    /// <param name="bytes">The same number as then.</param>
    protected abstract void ReleaseMemory(nint address, long bytes);

    private void Recycle(TensorBody body)
    {
        if (body.DataReferences > 0 || body.SlotReferences > 0)
        {
            return;
        }

        if (body.HasGradient || body.GradientIsPersistent)
        {
            body.Gradient.Dispose();
        }

        body.Gradient = default;
        body.HasGradient = false;
        body.GradientIsPersistent = false;
        body.RequiresGradient = false;
        body.ActivatedBy = null;
        body.Generation++;
        spareBodies.Push(body);
    }

    /// <summary>Gives each kernel interface a small number, so that resolving it is an array access.</summary>
    [SuppressMessage("Performance", "CA1812", Justification = "only its static member is used")]
    private static class KernelSlot<TKernels>
    {
        internal static readonly int Index = KernelSlots.Next();
    }

    private static class KernelSlots
    {
        private static int count;

        internal static int Next() => Interlocked.Increment(ref count) - 1;
    }
}
