namespace Sprint.Engine.Operations;

/// <summary>A parameter with its moments and its exponential moving average, all of the parameter's shape.</summary>
public sealed class AdamWState : IDisposable
{
    /// <summary>Allocates moments and average, with undefined elements until <see cref="Begin"/>.</summary>
    /// <param name="parameter">What is learned.</param>
    internal AdamWState(Parameter parameter)
    {
        Parameter = parameter;
        Device device = parameter.Value.Device;
        Shape shape = parameter.Value.Shape;
        try
        {
            FirstMoment = device.Allocate(shape, ElementType.Float32, MemoryCategory.Optimizer);
            SecondMoment = device.Allocate(shape, ElementType.Float32, MemoryCategory.Optimizer);
            Average = device.Allocate(shape, ElementType.Float32, MemoryCategory.Parameter);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What is learned.</summary>
    public Parameter Parameter { get; }

    /// <summary>m: the moving average of gradients.</summary>
    public Tensor FirstMoment { get; }

    /// <summary>v: the moving average of squared gradients.</summary>
    public Tensor SecondMoment { get; }

    /// <summary>The exponential moving average of the values, with which samples are drawn.</summary>
    public Tensor Average { get; }

    /// <summary>Sets the moments to zero and the average to the values.</summary>
    internal void Begin()
    {
        ResetMoments();
        Parameter.Value.CopyTo(Average);
    }

    /// <summary>Sets the moments to zero.</summary>
    internal void ResetMoments()
    {
        Device device = FirstMoment.Device;
        device.Clear(FirstMoment);
        device.Clear(SecondMoment);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
        Average.Dispose();
    }
}
