namespace Sprint.Engine.Measurement;

/// <summary>
/// An operation's kernels on tensors of a shape, with what each of them must do at the least: what they are counted, timed and judged by. All elements
/// are zeros, which every kernel here handles as any others.
/// </summary>
public sealed class KernelWorkload : IDisposable
{
    private readonly List<Tensor> tensors = [];
    private readonly Stack<IDisposable> kept = new();
    private readonly CudaDevice device;

    internal KernelWorkload(CudaDevice device, string name, ElementType element)
    {
        this.device = device;
        Name = name;
        Element = element;
    }

    /// <summary>What is run.</summary>
    public string Name { get; }

    /// <summary>How tensors are stored.</summary>
    public ElementType Element { get; }

    /// <summary>The kernels in the order of their launches.</summary>
    public IReadOnlyList<KernelTraffic> Kernels { get; private set; } = [];

    private Action Work { get; set; } = static () => { };

    /// <summary>Puts the work into the device's stream once.</summary>
    public void Run() => Work();

    /// <inheritdoc/>
    public void Dispose()
    {
        while (kept.TryPop(out IDisposable? item))
        {
            item.Dispose();
        }

        tensors.ForEach(static tensor => tensor.Dispose());
    }

    /// <summary>A tensor of zeros that lives as long as the workload.</summary>
    internal Tensor Zeros(Shape shape, ElementType? type = null)
    {
        Tensor tensor = device.Allocate(shape, type ?? Element);
        tensors.Add(tensor);
        device.Clear(tensor);
        return tensor;
    }

    /// <summary>Disposes something with the workload, what was kept last first.</summary>
    internal T Keep<T>(T item)
        where T : IDisposable
    {
        kept.Push(item);
        return item;
    }

    internal Tensor Integers(Shape shape, int[] values)
    {
        Tensor tensor = device.Allocate(shape, ElementType.Int32);
        tensors.Add(tensor);
        tensor.CopyFrom<int>(values);
        return tensor;
    }

    internal KernelWorkload With(Action work, params KernelTraffic[] kernels)
    {
        (Work, Kernels) = (work, kernels);
        return this;
    }
}
