using Sprint.Engine;
using Sprint.Model.Network;

namespace Sprint.Model.Checkpoints;

/// <summary>Moves parameters between a model and safetensors files with the reference's tensor names.</summary>
public static class ModelWeights
{
    /// <summary>Loads all parameters of a model.</summary>
    /// <param name="file">An open file; tensors whose names start with <c>rope</c> or that the model lacks are refused.</param>
    /// <param name="parameters">The model's parameters.</param>
    /// <param name="prefix">Put before each parameter's name to find its tensor.</param>
    /// <exception cref="SprintException">A tensor is missing, of another shape, or belongs to no parameter.</exception>
    public static void Load(SafetensorsFile file, ParameterSet parameters, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(parameters);

        // Everything is checked before the first value changes: a refused file leaves the model as it was.
        foreach (Parameter parameter in parameters.All)
        {
            Check(file, prefix + parameter.Name, parameter.Value.Shape);
        }

        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (prefix.Length == 0 && parameters.Find(entry.Name) is null)
            {
                throw new SprintException($"{file.Path}: tensor '{entry.Name}' belongs to no parameter of this model: is the configuration that of the checkpoint?");
            }
        }

        foreach (Parameter parameter in parameters.All)
        {
            Read(file, prefix + parameter.Name, parameter.Value);
            parameter.UpdateShadow();
        }
    }

    /// <summary>Reads one tensor of the file to a tensor of a device.</summary>
    /// <param name="file">An open file.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">A float32 tensor of the same shape.</param>
    /// <exception cref="SprintException">The tensor is missing or of another shape.</exception>
    public static void Read(SafetensorsFile file, string name, Tensor destination)
    {
        ArgumentNullException.ThrowIfNull(file);
        Check(file, name, destination.Shape);
        var values = new float[destination.Count];
        file.ReadFloats(name, values);
        destination.CopyFrom<float>(values);
    }

    /// <summary>Adds one tensor of a device to a file that is being written.</summary>
    /// <param name="writer">The file.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="source">A float32 tensor.</param>
    public static void Add(SafetensorsWriter writer, string name, Tensor source)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Span<int> shape = stackalloc int[source.Shape.Rank];
        for (int i = 0; i < shape.Length; i++)
        {
            shape[i] = source.Shape[i];
        }

        writer.AddFloats(name, shape, source.CopyTo);
    }

    private static void Check(SafetensorsFile file, string name, Shape shape)
    {
        if (!file.Contains(name))
        {
            throw new SprintException($"{file.Path}: tensor '{name}' is missing: is the configuration that of the checkpoint?");
        }

        SafetensorsEntry entry = file.Find(name);
        bool same = entry.Shape.Count == shape.Rank;
        for (int i = 0; same && i < shape.Rank; i++)
        {
            same = entry.Shape[i] == shape[i];
        }

        if (!same)
        {
            throw new SprintException(
                $"{file.Path}: tensor '{name}' has shape [{string.Join(", ", entry.Shape)}], the model needs {shape}");
        }
    }
}
