using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Tests.Model.Checkpoints;

[TestFixture]
public sealed class SafetensorsElementsTests
{
    [Test]
    public void Every_type_gives_back_what_it_can_hold([Values] SafetensorsDataType type)
    {
        if (type is SafetensorsDataType.F8_E4M3 or SafetensorsDataType.F8_E5M2)
        {
            Assert.That(() => SafetensorsElements.Read(type, [0]), Throws.InstanceOf<SprintException>().With.Message.Contains(type.ToString()));
            Assert.That(() => SafetensorsElements.Write(type, 0, new byte[1]), Throws.InstanceOf<SprintException>().With.Message.Contains(type.ToString()));
            return;
        }

        byte[] element = new byte[type.ElementSize()];
        double[] values = type == SafetensorsDataType.BOOL ? [0, 1]
            : type.IsFloat() ? [0, 1, -1.5, 96, double.PositiveInfinity]
            : type.ToString()[0] == 'U' ? [0, 1, 127, Math.Pow(2, 8 * element.Length - 1)]
            : [0, 1, -1, 127, -Math.Pow(2, 8 * element.Length - 1)];
        foreach (double value in values)
        {
            SafetensorsElements.Write(type, value, element);
            Assert.That(SafetensorsElements.Read(type, element), Is.EqualTo(value));
        }
    }

    [Test]
    public void Floats_are_rounded_to_the_nearest_and_a_NaN_stays_one([Values(SafetensorsDataType.F16, SafetensorsDataType.BF16, SafetensorsDataType.F32)] SafetensorsDataType type)
    {
        byte[] element = new byte[type.ElementSize()];
        SafetensorsElements.Write(type, double.NaN, element);
        Assert.That(SafetensorsElements.Read(type, element), Is.NaN);
        double step = type switch { SafetensorsDataType.F16 => Math.Pow(2, -10), SafetensorsDataType.BF16 => Math.Pow(2, -7), _ => Math.Pow(2, -23) };
        SafetensorsElements.Write(type, 1 + (0.75 * step), element);
        Assert.That(SafetensorsElements.Read(type, element), Is.EqualTo(1 + step));
        SafetensorsElements.Write(type, 1 + (0.5 * step), element);
        Assert.That(SafetensorsElements.Read(type, element), Is.EqualTo(1), "ties go to the even neighbour");
    }

    [Test]
    public void Tensors_of_every_type_are_written_and_read_by_their_bytes()
    {
        using TemporaryFolder folder = new();
        var writer = new SafetensorsWriter();
        byte[] Content(SafetensorsDataType type) => [.. Enumerable.Range(0, 6 * type.ElementSize()).Select(i => (byte)(17 * i))];
        foreach (SafetensorsDataType type in Enum.GetValues<SafetensorsDataType>())
        {
            writer.AddBytes(type.ToString(), type, [2, 3], Content(type));
        }

        writer.Save(folder["all.safetensors"]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["all.safetensors"]);
        foreach (SafetensorsDataType type in Enum.GetValues<SafetensorsDataType>())
        {
            byte[] read = new byte[6 * type.ElementSize()];
            file.ReadBytes(type.ToString(), read);
            Assert.That((file.Find(type.ToString()).DataType, read), Is.EqualTo((type, Content(type))));
        }

        Assert.That(() => new SafetensorsWriter().AddBytes("odd", SafetensorsDataType.F32, [1], new byte[5]), Throws.ArgumentException);
        Assert.That(() => new SafetensorsWriter().AddBytes("short", SafetensorsDataType.F32, [2], new byte[4]), Throws.ArgumentException);
    }
}
