using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Operations;

/// <summary>Of which sizes operations are measured.</summary>
/// <param name="Model">The model.</param>
/// <param name="Pattern">Which tokens the sparse operations keep.</param>
/// <param name="Batch">Images.</param>
internal sealed record OperationSizes(ModelConfiguration Model, DropPattern Pattern, int Batch);

/// <summary>An operation at the sizes of a model.</summary>
/// <param name="Model">The model's name: S, B, L, XL.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Trains">Whether its backward pass runs too.</param>
/// <param name="Shape">What it works on, for people.</param>
/// <param name="Sizes">The sizes.</param>
/// <param name="Setup">Makes inputs and says what runs.</param>
internal sealed record OperationCase(
    string Model, string Operation, bool Trains, string Shape, OperationSizes Sizes, Action<OperationWorkload, OperationSizes> Setup)
{
    /// <summary>The name by which the case is chosen: <c>XL/attention/forward</c>.</summary>
    public string Name => $"{Model}/{Operation}/{(Trains ? "training" : "forward")}";

    /// <summary>Prepares the case on a device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="element">How activations are stored.</param>
    public OperationWorkload On(Device device, ElementType element = ElementType.Float32)
    {
        OperationWorkload workload = new(device, element, Trains);
        try
        {
            Setup(workload, Sizes);
            return workload;
        }
        catch
        {
            workload.Dispose();
            throw;
        }
    }

    /// <summary>What one run computes and moves, as the operations report it themselves.</summary>
    /// <param name="element">How activations are stored.</param>
    public AccountTotal Count(ElementType element = ElementType.Float32)
    {
        using DryRunDevice device = new();
        using OperationWorkload workload = On(device, element);
        device.Account.ResetOperations();
        workload.Run();
        return device.Account.Total();
    }
}
