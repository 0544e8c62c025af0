using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Model.Network;

/// <summary>
/// The parameters of a model by name, in the order in which they were made, initialised as SPRINT.md section 2 says. Each
/// draws from its own random stream, so adding one does not change the others.
/// </summary>
public sealed class ParameterSet : IDisposable
{
    private readonly Device device;
    private readonly ulong seed;
    private readonly ElementType operandType;
    private readonly List<Parameter> parameters = [];
    private readonly Dictionary<string, Parameter> byName = new(StringComparer.Ordinal);

    /// <param name="device">Where they live.</param>
    /// <param name="seed">Determines the initial values.</param>
    /// <param name="operandType">What operations of the transformer read; what conditions it, and what norms need, is float32 always.</param>
    internal ParameterSet(Device device, ulong seed, ElementType operandType = ElementType.Float32)
    {
        this.device = device;
        this.seed = seed;
        this.operandType = operandType;
    }

    /// <summary>All parameters.</summary>
    public IReadOnlyList<Parameter> All => parameters;

    /// <summary>The number of values in all parameters.</summary>
    public long Count => parameters.Sum(parameter => parameter.Value.Count);

    /// <summary>The parameter of a name, or null.</summary>
    /// <param name="name">The name in checkpoints.</param>
    public Parameter? Find(string name) => byName.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Parameter parameter in parameters)
        {
            parameter.Dispose();
        }
    }

    /// <summary>The weight of a linear layer (outputs, inputs): Xavier-uniform.</summary>
    internal Tensor Linear(string name, int outputs, int inputs)
    {
        float bound = MathF.Sqrt(6f / (inputs + outputs));
        return Add(name, new Shape(outputs, inputs), random => bound * ((2 * random.Uniform()) - 1));
    }

    /// <summary>Weight and bias of a linear layer, <c>NAME.weight</c> and <c>NAME.bias</c>: Xavier-uniform and zero.</summary>
    internal LinearWeights Layer(string name, int outputs, int inputs) => new(Linear($"{name}.weight", outputs, inputs), Zeros($"{name}.bias", outputs));

    /// <summary>Normal values of a small deviation.</summary>
    internal Tensor Normal(string name, Shape shape, float deviation, bool trainable = true) =>
        Add(name, shape, random => deviation * random.Normal(), trainable);

    /// <summary>The same, which operations read in float32 in any precision.</summary>
    internal Tensor WideNormal(string name, Shape shape, float deviation) =>
        Add(name, shape, random => deviation * random.Normal(), type: ElementType.Float32);

    internal Tensor Zeros(string name, params ReadOnlySpan<int> shape) => Add(name, new Shape(shape), _ => 0);

    internal Tensor WideZeros(string name, params ReadOnlySpan<int> shape) => Add(name, new Shape(shape), _ => 0, type: ElementType.Float32);

    internal Tensor WideOnes(string name, params ReadOnlySpan<int> shape) => Add(name, new Shape(shape), _ => 1, type: ElementType.Float32);

    /// <summary>Adds a parameter and gives what operations read of it.</summary>
    private Tensor Add(string name, Shape shape, Func<HostRandom, float> value, bool trainable = true, ElementType? type = null)
    {
        var parameter = new Parameter(device, name, shape, trainable, type ?? operandType);
        int index = parameters.Count;
        parameters.Add(parameter);
        byName.Add(name, parameter);
        if (device.Executes)
        {
            var random = new HostRandom(new RandomStream(seed, RandomPurpose.Initialisation.Stream((uint)index)));
            var values = new float[shape.Count];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = value(random);
            }

            parameter.Value.CopyFrom<float>(values);
        }

        parameter.UpdateShadow();
        return parameter.Operand;
    }
}
