using System.Buffers.Binary;
using System.Text;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Tests.Model.Checkpoints;

[TestFixture]
public sealed class SafetensorsFileTests
{
    private const string Pair = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}""";

    [Test]
    public void A_file_written_by_hand_is_read()
    {
        using TemporaryFolder folder = new();
        byte[] data = new byte[16];
        BinaryPrimitives.WriteSingleLittleEndian(data, 1.5f);
        BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(4), -2);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(8), long.MinValue);
        using SafetensorsFile file = SafetensorsFile.Open(WriteFile(folder, """{"__metadata__":{"k":"v"},""" + Pair[1..] + "   ", data));
        Assert.That(file.Metadata["k"], Is.EqualTo("v"));
        Assert.That(file.Entries.Select(entry => entry.ToString()), Is.EqualTo(new[] { "a F32 (2)", "b I64 ()" }));
        Assert.That(file.ReadFloats("a"), Is.EqualTo(new[] { 1.5f, -2f }));
        Assert.That(file.ReadIntegers("b"), Is.EqualTo(new[] { long.MinValue }));
        Assert.That(file.Contains("c"), Is.False);
    }

    [Test]
    public void Half_bfloat16_and_double_are_read_as_float32()
    {
        using TemporaryFolder folder = new();
        byte[] data = new byte[12];
        BinaryPrimitives.WriteHalfLittleEndian(data, (Half)(-0.25f));
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(2), 0x3FC0);
        BinaryPrimitives.WriteDoubleLittleEndian(data.AsSpan(4), Math.PI);
        using SafetensorsFile file = SafetensorsFile.Open(WriteFile(
            folder,
            """{"h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]},"d":{"dtype":"F64","shape":[1,1],"data_offsets":[4,12]}}""",
            data));
        Assert.That(file.ReadFloats("h"), Is.EqualTo(new[] { -0.25f }));
        Assert.That(file.ReadFloats("b"), Is.EqualTo(new[] { 1.5f }));
        Assert.That(file.ReadFloats("d"), Is.EqualTo(new[] { (float)Math.PI }));
    }

    [TestCase("BOOL", 1, 1L)]
    [TestCase("U8", 1, 200L)]
    [TestCase("I8", 1, -56L)]
    [TestCase("U16", 2, 65000L)]
    [TestCase("I16", 2, -536L)]
    [TestCase("U32", 4, 4000000000L)]
    [TestCase("I32", 4, -294967296L)]
    [TestCase("U64", 8, long.MaxValue)]
    [TestCase("I64", 8, -3L)]
    public void Integers_of_every_width_keep_value_and_sign(string type, int size, long value)
    {
        using TemporaryFolder folder = new();
        byte[] data = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(data, value);
        using SafetensorsFile file = SafetensorsFile.Open(WriteFile(
            folder, $$$"""{"x":{"dtype":"{{{type}}}","shape":[1],"data_offsets":[0,{{{size}}}]}}""", data[..size]));
        Assert.That(file.ReadIntegers("x"), Is.EqualTo(new[] { value }));
    }

    [Test]
    public void Asking_for_what_the_tensor_is_not_gives_a_sentence_that_names_it()
    {
        using TemporaryFolder folder = new();
        byte[] data = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(8), 1L << 40);
        using SafetensorsFile file = SafetensorsFile.Open(WriteFile(folder, Pair, data));
        Assert.That(() => file.ReadFloats("b"), new SprintFault("tensor 'b'", "holds I64 elements where floats"));
        Assert.That(() => file.ReadIntegers("a"), new SprintFault("tensor 'a'", "holds F32 elements where integers"));
        Assert.That(() => file.ReadInt32("b"), new SprintFault("tensor 'b'", "does not fit 32 bits"));
        Assert.That(() => file.ReadFloats("c"), new SprintFault("holds no tensor 'c'"));
        Assert.That(() => file.ReadFloats("a", new float[3]), new SprintFault("tensor 'a'", "shape (2), 2 elements, where 3 are wanted"));
        Assert.That(() => file.ReadBytes("a", new byte[3]), new SprintFault("tensor 'a'", "8 bytes where 3"));
    }

    [TestCase("[]", "not a JSON object")]
    [TestCase("", "not valid JSON")]
    [TestCase("{", "not valid JSON")]
    [TestCase("{} x", "not valid JSON")]
    [TestCase("""{"a":7}""", "entry of tensor 'a' is not a JSON object")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2]}}""", "tensor 'a' lacks 'data_offsets'")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", "unknown property 'x'")]
    [TestCase("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "'dtype' twice")]
    [TestCase("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", "tensor 'a' has the unknown dtype 'F33'")]
    [TestCase("""{"a":{"dtype":"11","shape":[2],"data_offsets":[0,8]}}""", "tensor 'a' has the unknown dtype '11'")]
    [TestCase("""{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}""", "dtype of tensor 'a' is not a string")]
    [TestCase("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", "shape of tensor 'a' is not a list")]
    [TestCase("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "shape of tensor 'a' holds something other")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "shape of tensor 'a' holds something other")]
    [TestCase("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", "shape of tensor 'a' holds something other")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", "tensor 'a' is larger than any memory")]
    [TestCase("""{"a":{"dtype":"F64","shape":[9223372036854775807],"data_offsets":[0,8]}}""", "tensor 'a' is larger than any memory")]
    [TestCase("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "tensor 'a' of type F32 and shape (3) needs 12 bytes")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "data_offsets of tensor 'a' are [8, 0]")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}}""", "data_offsets of tensor 'a'")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "data of tensor 'a' ends at byte 16")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775799,9223372036854775807]}}""", "data of tensor 'a' ends at byte 9223372036854775807")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", "hole of 4 bytes before the data of tensor 'a'")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}}""", "tensor 'b' at byte 3 overlaps")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "4 more bytes follow")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", "tensor 'a' appears twice")]
    [TestCase("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"__metadata__":{"k":1}}""", "metadata 'k' is not a string")]
    [TestCase("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"__metadata__":[]}""", "metadata is not a JSON object")]
    [TestCase("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"__metadata__":{"k":"1","k":"2"}}""", "metadata 'k' appears twice")]
    public void A_faulty_header_is_refused_in_one_sentence(string header, string reason)
    {
        using TemporaryFolder folder = new();
        string path = WriteFile(folder, header, new byte[8]);
        Assert.That(() => SafetensorsFile.Open(path), new SprintFault(path, reason));
    }

    [Test]
    public void A_tensor_without_elements_is_read_and_does_not_count_as_overlap()
    {
        using TemporaryFolder folder = new();
        using SafetensorsFile file = SafetensorsFile.Open(WriteFile(
            folder, """{"e":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", new byte[8]));
        Assert.That(file.ReadFloats("e"), Is.Empty);
    }

    [Test]
    public void A_header_nested_deeply_or_not_utf8_is_refused()
    {
        using TemporaryFolder folder = new();
        string deep = WriteFile(folder, string.Concat(Enumerable.Repeat("{\"a\":", 100_000)), []);
        Assert.That(() => SafetensorsFile.Open(deep), new SprintFault(deep));
        byte[] bytes = [8, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}', (byte)' '];
        File.WriteAllBytes(folder["utf"], bytes);
        Assert.That(() => SafetensorsFile.Open(folder["utf"]), new SprintFault("not valid UTF-8"));
    }

    [TestCase(ulong.MaxValue, "the format allows 100000000")]
    [TestCase(100_000_001UL, "the format allows 100000000")]
    [TestCase(1000UL, "it is truncated")]
    public void A_header_length_that_lies_is_refused_without_allocating_it(ulong length, string reason)
    {
        using TemporaryFolder folder = new();
        byte[] bytes = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(folder["x"], bytes);
        Assert.That(() => SafetensorsFile.Open(folder["x"]), new SprintFault(reason));
    }

    [Test]
    public void A_file_cut_at_any_byte_is_refused()
    {
        using TemporaryFolder folder = new();
        byte[] whole = File.ReadAllBytes(WriteFile(folder, Pair, new byte[16]));
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(folder["cut"], whole[..length]);
            Assert.That(() => SafetensorsFile.Open(folder["cut"]), Throws.TypeOf<SprintException>(), $"cut at {length}");
        }
    }

    [Test]
    public void A_header_with_any_byte_changed_is_read_or_refused_but_never_crashes()
    {
        using TemporaryFolder folder = new();
        byte[] whole = File.ReadAllBytes(WriteFile(folder, Pair, new byte[16]));
        Random random = new(7);
        int refused = 0;
        for (int round = 0; round < 2000; round++)
        {
            byte[] damaged = [.. whole];
            damaged[random.Next(whole.Length - 16)] = (byte)random.Next(256);
            File.WriteAllBytes(folder["damaged"], damaged);
            try
            {
                SafetensorsFile.Open(folder["damaged"]).Dispose();
            }
            catch (SprintException)
            {
                refused++;
            }
        }

        Assert.That(refused, Is.GreaterThan(1000));
    }

    [Test]
    public void A_missing_file_and_a_folder_give_one_sentence()
    {
        using TemporaryFolder folder = new();
        Assert.That(() => SafetensorsFile.Open(folder["none"]), new SprintFault("cannot read", "there is no such file"));
        Assert.That(() => SafetensorsFile.Open(folder["none/none"]), new SprintFault("cannot read", "there is no such folder"));
        Assert.That(() => SafetensorsFile.Open(folder.Path), new SprintFault("cannot read"));
    }

    [Test]
    public void Tensors_beyond_four_gigabytes_are_reached()
    {
        using TemporaryFolder folder = new();
        const long hole = 5L << 30;
        string path = WriteFile(
            folder, $$$"""{"far":{"dtype":"F32","shape":[1],"data_offsets":[{{{hole}}},{{{hole + 4}}}]},"hole":{"dtype":"U8","shape":[{{{hole}}}],"data_offsets":[0,{{{hole}}}]}}""", []);
        using (FileStream stream = new(path, FileMode.Open))
        {
            // A sparse file: only its end takes room on the disk.
            stream.Seek(hole, SeekOrigin.End);
            stream.Write(BitConverter.GetBytes(42f));
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.That(file.ReadFloats("far"), Is.EqualTo(new[] { 42f }));
        Assert.That(() => file.ReadIntegers("hole"), new SprintFault("more than one array can hold"));
    }

    private static string WriteFile(TemporaryFolder folder, string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        string path = folder["file.safetensors"];
        File.WriteAllBytes(path, [.. length, .. json, .. data]);
        return path;
    }
}
