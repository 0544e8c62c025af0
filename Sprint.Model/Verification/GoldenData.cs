using System.Globalization;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;

namespace Sprint.Model.Verification;

/// <summary>Reads tensors and numbers of a golden file; what cannot be used is named with its file.</summary>
internal static class GoldenData
{
    internal static Tensor Floats(this SafetensorsFile file, Device device, string name) =>
        device.From(ShapeOf(file, name), file.ReadFloats(name));

    /// <summary>Labels (batch), each a row of the model's label table.</summary>
    internal static int[] Labels(this SafetensorsFile file, string name, ModelConfiguration configuration)
    {
        RequireRank(file, name, 1);
        return InRange(file, name, configuration.NumClasses + (configuration.HasNullClass ? 1 : 0));
    }

    /// <summary>The path drops (batch), each 0 or 1; empty where the file holds none.</summary>
    internal static Tensor PathDropOrEmpty(this SafetensorsFile file, Device device, string name)
    {
        if (!file.Contains(name))
        {
            return default;
        }

        Shape shape = RequireRank(file, name, 1);
        return device.From(shape, InRange(file, name, 2));
    }

    /// <summary>The kept tokens (batch, M), of each sample distinct tokens of the grid; empty where the file holds none.</summary>
    internal static Tensor KeptIdsOrEmpty(this SafetensorsFile file, Device device, string name, ModelConfiguration configuration)
    {
        if (!file.Contains(name))
        {
            return default;
        }

        Shape shape = RequireRank(file, name, 2);
        int[] ids = InRange(file, name, configuration.Tokens);
        var seen = new HashSet<int>();
        for (int i = 0; i < ids.Length; i++)
        {
            if (i % shape[1] == 0)
            {
                seen.Clear();
            }

            if (!seen.Add(ids[i]))
            {
                throw new SprintException($"{file.Path}: tensor '{name}' keeps token {ids[i]} of sample {i / shape[1]} twice");
            }
        }

        return device.From(shape, ids);
    }

    internal static double Number(this SafetensorsFile file, string key) =>
        file.Metadata.TryGetValue(key, out string? text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number
            : throw new SprintException($"{file.Path}: the metadata lack the number '{key}'");

    /// <summary>A whole number of the metadata.</summary>
    internal static int Integer(this SafetensorsFile file, string key, int least, int most)
    {
        double number = file.Number(key);
        return double.IsInteger(number) && number >= least && number <= most
            ? (int)number
            : throw new SprintException(
                string.Create(CultureInfo.InvariantCulture, $"{file.Path}: '{key}' of the metadata is {number}, but must be a whole number from {least} to {most}"));
    }

    internal static Shape ShapeOf(SafetensorsFile file, string name)
    {
        IReadOnlyList<long> lengths = file.Find(name).Shape;
        if (lengths.Count is 0 or > Shape.MaximumRank || lengths.Any(length => length is < 1 or > int.MaxValue))
        {
            throw new SprintException($"{file.Path}: tensor '{name}' of shape [{string.Join(", ", lengths)}] is of no use here");
        }

        return new Shape([.. lengths.Select(length => (int)length)]);
    }

    internal static Shape RequireRank(SafetensorsFile file, string name, int rank)
    {
        Shape shape = ShapeOf(file, name);
        return shape.Rank == rank
            ? shape
            : throw new SprintException($"{file.Path}: tensor '{name}' has {shape.Rank} dimensions where {rank} are wanted");
    }

    private static int[] InRange(SafetensorsFile file, string name, int end)
    {
        int[] values = file.ReadInt32(name);
        foreach (int value in values)
        {
            if (value < 0 || value >= end)
            {
                throw new SprintException($"{file.Path}: tensor '{name}' holds {value}, which is not from 0 to {end - 1}");
            }
        }

        return values;
    }
}
