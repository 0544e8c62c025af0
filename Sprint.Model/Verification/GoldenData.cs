using System.Globalization;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Verification;

/// <summary>Reads tensors and numbers of a golden file.</summary>
internal static class GoldenData
{
    internal static Tensor Floats(this SafetensorsFile file, Device device, string name) =>
        device.From(ShapeOf(file, name), file.ReadFloats(name));

    internal static Tensor Integers(this SafetensorsFile file, Device device, string name) =>
        device.From(ShapeOf(file, name), file.ReadInt32(name));

    internal static Tensor IntegersOrEmpty(this SafetensorsFile file, Device device, string name) =>
        file.Contains(name) ? Integers(file, device, name) : default;

    internal static double Number(this SafetensorsFile file, string key) =>
        file.Metadata.TryGetValue(key, out string? text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number
            : throw new SprintException($"{file.Path}: the metadata lack the number '{key}'");

    internal static Shape ShapeOf(SafetensorsFile file, string name)
    {
        IReadOnlyList<long> lengths = file.Find(name).Shape;
        if (lengths.Count is 0 or > Shape.MaximumRank || lengths.Any(length => length > int.MaxValue))
        {
            throw new SprintException($"{file.Path}: tensor '{name}' of shape [{string.Join(", ", lengths)}] is of no use here");
        }

        return new Shape([.. lengths.Select(length => (int)length)]);
    }
}
