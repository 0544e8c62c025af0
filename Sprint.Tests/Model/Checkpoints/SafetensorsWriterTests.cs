using System.Buffers.Binary;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Tests.Model.Checkpoints;

[TestFixture]
public sealed class SafetensorsWriterTests
{
    [Test]
    public void What_is_written_is_read_back()
    {
        using TemporaryFolder folder = new();
        float[] weights = [.. Enumerable.Range(0, 300_000).Select(index => index * 0.37f - 5)];
        SafetensorsWriter writer = new();
        writer.SetMetadata("note", "grüße \"quoted\"");
        writer.Add("weights", [300, 1000], weights);
        writer.Add("bytes", [3], new byte[] { 1, 2, 255 });
        writer.Add("counters", [2], new[] { 0UL, ulong.MaxValue });
        writer.Add("ids", [2], new[] { -1, 7 });
        writer.Add("labels", [1], new[] { long.MaxValue });
        writer.AddFloats("filled", [2, 2], values => new[] { 1f, 2f, 3f, 4f }.CopyTo(values));
        writer.AddFloats("rounded", [3], values => new[] { 1f, 1.00390625f, float.NaN }.CopyTo(values), SafetensorsDataType.BF16);
        writer.Save(folder["out.safetensors"]);

        using SafetensorsFile file = SafetensorsFile.Open(folder["out.safetensors"]);
        Assert.That(file.Metadata["note"], Is.EqualTo("grüße \"quoted\""));
        Assert.That(file.Find("weights").Shape, Is.EqualTo(new[] { 300L, 1000L }));
        Assert.That(file.ReadFloats("weights"), Is.EqualTo(weights));
        Assert.That(file.ReadIntegers("bytes"), Is.EqualTo(new[] { 1L, 2L, 255L }));
        byte[] counters = new byte[16];
        file.ReadBytes("counters", counters);
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(counters.AsSpan(8)), Is.EqualTo(ulong.MaxValue));
        Assert.That(() => file.ReadIntegers("counters"), Throws.TypeOf<SprintException>().With.Message.Contains("beyond 2^63-1"));
        Assert.That(file.ReadInt32("ids"), Is.EqualTo(new[] { -1, 7 }));
        Assert.That(file.ReadIntegers("labels"), Is.EqualTo(new[] { long.MaxValue }));
        Assert.That(file.ReadFloats("filled"), Is.EqualTo(new[] { 1f, 2f, 3f, 4f }));
        Assert.That(file.ReadFloats("rounded"), Is.EqualTo(new[] { 1f, 1f, float.NaN }));
        Assert.That(folder.Names(), Is.EqualTo(new[] { "out.safetensors" }));
    }

    [Test]
    public void The_same_tensors_give_the_same_bytes_in_any_order_of_adding()
    {
        SafetensorsWriter first = new();
        first.Add("b", [1], new[] { 1f });
        first.Add("a", [1], new[] { 2f });
        first.Add("z", [1], new[] { 3L });
        first.SetMetadata("y", "1");
        first.SetMetadata("x", "2");
        SafetensorsWriter second = new();
        second.SetMetadata("x", "2");
        second.SetMetadata("y", "1");
        second.Add("z", [1], new[] { 3L });
        second.Add("a", [1], new[] { 2f });
        second.Add("b", [1], new[] { 1f });
        byte[] again = Bytes(first);
        Assert.That(Bytes(first), Is.EqualTo(Bytes(second)));
        Assert.That(Bytes(first), Is.EqualTo(again));
    }

    [Test]
    public void The_header_is_padded_so_that_data_begin_at_a_multiple_of_eight()
    {
        for (int length = 1; length <= 8; length++)
        {
            SafetensorsWriter writer = new();
            writer.Add(new string('n', length), [1], new[] { 1f });
            byte[] bytes = Bytes(writer);
            long header = BinaryPrimitives.ReadInt64LittleEndian(bytes);
            Assert.That(header % 8, Is.Zero);
            Assert.That(bytes, Has.Length.EqualTo(8 + header + 4));
        }
    }

    [TestCase(1f, 0x3F80)]
    [TestCase(1.001953125f, 0x3F80)]
    [TestCase(1.00390625f, 0x3F80)]
    [TestCase(1.0039063692092896f, 0x3F81)]
    [TestCase(1.01171875f, 0x3F82)]
    [TestCase(float.MaxValue, 0x7F80)]
    [TestCase(float.NegativeInfinity, 0xFF80)]
    [TestCase(1e-45f, 0)]
    public void Bfloat16_is_rounded_to_the_nearest_and_ties_to_even(float value, int bits) =>
        Assert.That(SafetensorsConversion.ToBfloat16(value), Is.EqualTo((ushort)bits));

    [Test]
    public void A_nan_whose_payload_lies_in_the_lower_half_stays_a_nan()
    {
        ushort bits = SafetensorsConversion.ToBfloat16(BitConverter.UInt32BitsToSingle(0x7F800001));
        Assert.That(BitConverter.UInt32BitsToSingle((uint)bits << 16), Is.NaN);
    }

    [Test]
    public void A_wrong_element_count_or_a_name_used_twice_is_refused_at_once()
    {
        SafetensorsWriter writer = new();
        Assert.That(() => writer.Add("a", [3], new[] { 1f }), Throws.ArgumentException);
        writer.Add("a", [1], new[] { 1f });
        Assert.That(() => writer.Add("a", [1], new[] { 1f }), Throws.ArgumentException);
        Assert.That(() => writer.Add("__metadata__", [1], new[] { 1f }), Throws.ArgumentException);
    }

    [Test]
    public void A_disk_that_is_full_at_any_byte_leaves_the_old_checkpoint_readable()
    {
        using TemporaryFolder folder = new();
        string path = folder["weights.safetensors"];
        SafetensorsWriter old = new();
        old.Add("w", [2], new[] { 1f, 2f });
        old.Save(path);
        SafetensorsWriter next = new();
        next.Add("w", [2], new[] { 3f, 4f });
        next.Add("m", [2], new[] { 5f, 6f });
        for (int capacity = 0; capacity < Bytes(next).Length; capacity += 7)
        {
            Assert.That(() => AtomicFile.Write(path, next.WriteTo, part => new FaultyStream(part, capacity)), Throws.TypeOf<SprintException>());
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.That(file.ReadFloats("w"), Is.EqualTo(new[] { 1f, 2f }));
        }

        Assert.That(folder.Names(), Is.EqualTo(new[] { "weights.safetensors" }));
    }

    private static byte[] Bytes(SafetensorsWriter writer)
    {
        using MemoryStream stream = new();
        writer.WriteTo(stream);
        return stream.ToArray();
    }
}
