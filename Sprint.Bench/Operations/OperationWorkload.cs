using Sprint.Engine;

namespace Sprint.Bench.Operations;

/// <summary>One operation with its inputs, ready to be run again and again: forward alone, or recorded and run backwards too.</summary>
internal sealed class OperationWorkload : IDisposable
{
    private readonly Random random = new(1);
    private readonly List<IDisposable> owned = [];
    private readonly List<Tensor> watched = [];
    private readonly List<Parameter> parameters = [];
    private readonly Tape? tape;
    private Func<Tape?, Tensor>? operation;
    private Tensor gradient;

    /// <summary>Prepares nothing yet.</summary>
    /// <param name="device">Where it runs.</param>
    /// <param name="element">How activations are stored.</param>
    /// <param name="trains">Whether the backward pass runs too.</param>
    public OperationWorkload(Device device, ElementType element, bool trains)
    {
        (Device, Element, Trains) = (device, element, trains);
        tape = trains ? new Tape() : null;
    }

    /// <summary>Where it runs.</summary>
    public Device Device { get; }

    /// <summary>How activations are stored.</summary>
    public ElementType Element { get; }

    /// <summary>Whether the backward pass runs too.</summary>
    public bool Trains { get; }

    /// <summary>An activation of random numbers around 0, whose gradient is wanted where the backward pass runs.</summary>
    /// <param name="shape">Its shape.</param>
    public Tensor Activation(params ReadOnlySpan<int> shape)
    {
        Tensor tensor = Floats(new Shape(shape), Element);
        if (Trains)
        {
            Tape.Watch(tensor);
            watched.Add(tensor);
        }

        return tensor;
    }

    /// <summary>Random numbers around 0 whose gradient nobody wants.</summary>
    /// <param name="shape">The shape.</param>
    public Tensor Constant(params ReadOnlySpan<int> shape) => Floats(new Shape(shape), Element);

    /// <summary>Random float32 numbers from 0 to 1.</summary>
    /// <param name="shape">The shape.</param>
    public Tensor Uniforms(Shape shape)
    {
        float[] values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = random.NextSingle();
        return Own(Device.From(shape, values));
    }

    /// <summary>A learned tensor, as the operation reads it.</summary>
    /// <param name="shape">Its shape.</param>
    public Tensor Weight(params ReadOnlySpan<int> shape) => Learned(new Shape(shape), Trains).Operand;

    /// <summary>A learned tensor that operations read in float32 however activations are stored: the weight of a norm.</summary>
    /// <param name="shape">Its shape.</param>
    public Tensor WideWeight(params ReadOnlySpan<int> shape) => Learned(new Shape(shape), Trains, ElementType.Float32).Operand;

    /// <summary>A learned tensor.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="trainable">Whether its gradient is wanted.</param>
    /// <param name="operand">What operations read; null for what activations are stored as.</param>
    public Parameter Learned(Shape shape, bool trainable, ElementType? operand = null)
    {
        Parameter parameter = Own(new Parameter(Device, "weight", shape, trainable, operand ?? Element));
        parameter.Value.CopyFrom<float>(Values((int)parameter.Value.Count));
        parameter.UpdateShadow();
        parameters.Add(parameter);
        return parameter;
    }

    /// <summary>Whole numbers.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="values">As many as the shape has.</param>
    public Tensor Integers(Shape shape, params int[] values) => Own(Device.From(shape, values));

    /// <summary>Keeps something until the end.</summary>
    /// <typeparam name="T">What it is.</typeparam>
    /// <param name="item">The thing.</param>
    public T Own<T>(T item)
        where T : IDisposable
    {
        owned.Add(item);
        return item;
    }

    /// <summary>Says what runs; runs it once, so that buffers exist.</summary>
    /// <param name="run">The operation; its result is disposed here.</param>
    public void Prepare(Func<Tape?, Tensor> run)
    {
        operation = run;
        if (Trains)
        {
            using Tensor output = run(tape);
            gradient = Floats(output.Shape, output.ElementType);
            tape!.Reset();
        }

        Run();
        Device.Synchronize();
    }

    /// <summary>Runs the operation; on a GPU it may still run when this returns.</summary>
    public void Run()
    {
        using Tensor output = operation!(tape);
        if (tape is null)
            return;
        tape.Backward(output, gradient);
        foreach (Tensor tensor in watched)
            Forget(tensor);
        foreach (Parameter parameter in parameters)
            parameter.ForgetGradient();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        tape?.Dispose();
        for (int i = owned.Count - 1; i >= 0; i--)
            owned[i].Dispose();
    }

    /// <summary>A watched input's gradient would be added to by the next run, which costs more than the first contribution.</summary>
    private static void Forget(Tensor tensor)
    {
        if (!tensor.Body.HasGradient)
            return;
        tensor.Body.Gradient.Dispose();
        tensor.Body.Gradient = default;
        tensor.Body.HasGradient = false;
    }

    private Tensor Floats(Shape shape, ElementType element)
    {
        Tensor tensor = Own(Device.From(shape, Values((int)shape.Count)));
        if (element == ElementType.Float32)
            return tensor;
        Tensor narrowed = Own(Sprint.Engine.Operations.Narrowing.Apply(null, tensor, element));

        // Within a model an activation's gradient is stored as it is; a narrowed input of a model keeps float32.
        narrowed.Body.GradientType = element;
        return narrowed;
    }

    private float[] Values(int count)
    {
        // A dry run of XL needs shapes alone.
        float[] values = new float[count];
        for (int i = 0; Device.Executes && i < values.Length; i++)
            values[i] = random.NextSingle() - 0.5f;
        return values;
    }
}
