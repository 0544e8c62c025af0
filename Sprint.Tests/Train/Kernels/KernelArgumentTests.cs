using System.Globalization;
using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Tests.Model;
using Sprint.Train;

namespace Sprint.Tests.Train.Kernels;

[TestFixture]
public sealed class KernelArgumentTests
{
    [TestCase("f32:1.5", "0000C03F")]
    [TestCase("f32:-inf", "000080FF")]
    [TestCase("f64:1e300", "9C7500883CE4377E")]
    [TestCase("f32:3.4e38", "9EC97F7F")]
    [TestCase("f32:nan", "0000C0FF")]
    [TestCase("f16:65519", "FF7B")]
    [TestCase("f16:inf", "007C")]
    [TestCase("bf16:3.38e38", "7E7F")]
    [TestCase("bf16:-inf", "80FF")]
    [TestCase("f16:1.5", "003E")]
    [TestCase("bf16:1.5", "C03F")]
    [TestCase("i32:-7", "F9FFFFFF")]
    [TestCase("u64:18446744073709551615", "FFFFFFFFFFFFFFFF")]
    [TestCase("i64:-9223372036854775808", "0000000000000080")]
    [TestCase("u32:0xff00ff00", "00FF00FF")]
    [TestCase("i16:-32768", "0080")]
    [TestCase("u16:65535", "FFFF")]
    [TestCase("i8:-1", "FF")]
    [TestCase("u8:255", "FF")]
    [TestCase("bool:true", "01")]
    [TestCase("bool:0", "00")]
    [TestCase("bytes:0100fF", "0100FF")]
    public void Numbers_have_the_bytes_that_a_kernel_reads(string text, string bytes) =>
        Assert.That(Convert.ToHexString(((ScalarArgument)KernelArgument.Parse(text)).Bytes), Is.EqualTo(bytes));

    [TestCase("", "is no argument: write TYPE:VALUE (f32:1.5)")]
    [TestCase("1.5", "is no argument")]
    [TestCase("f32", "is no argument")]
    [TestCase("f32[4]", "is no argument")]
    [TestCase("f33:1", "has the type 'f33': the types are f64, f32")]
    [TestCase("float[4]=zeros", "has the type 'float'")]
    [TestCase("f8_e4m3:1", "has the type 'f8_e4m3'")]
    [TestCase("f32:one", "has the value 'one', which is no number for f32")]
    [TestCase("f32:", "has the value ''")]
    [TestCase("f32:Infinity", "is no number for f32")]
    [TestCase("f32:1e99", "has the value '1e99': f32 holds magnitudes from 1.4E-45 to 3.4E+38, 0, inf and nan")]
    [TestCase("f32:3.5e38", "f32 holds magnitudes")]
    [TestCase("f32:1e-60", "f32 holds magnitudes")]
    [TestCase("f64:1e999", "f64 holds magnitudes from 4.9E-324 to 1.8E+308")]
    [TestCase("f16:65520", "f16 holds magnitudes from 6E-08 to 65504")]
    [TestCase("bf16:-3.4e38", "bf16 holds magnitudes from 9.2E-41 to 3.39E+38")]
    [TestCase("f32[4]=1e99", "f32 holds magnitudes")]
    [TestCase("f16[70000]=iota", "counts up to 69999: f16 holds magnitudes")]
    [TestCase("i8:300", "i8 holds whole numbers from -128 to 127")]
    [TestCase("u32:-1", "u32 holds whole numbers from 0 to 4294967295")]
    [TestCase("i32:nan", "i32 holds whole numbers")]
    [TestCase("i32[4]=inf", "i32 holds whole numbers")]
    [TestCase("u8[4]=true", "is filled with 'true'")]
    [TestCase("i32:2147483648", "i32 holds whole numbers from -2147483648 to 2147483647")]
    [TestCase("u8:-1", "u8 holds whole numbers from 0 to 255")]
    [TestCase("u64:18446744073709551616", "u64 holds whole numbers from 0 to 18446744073709551615")]
    [TestCase("i32:1.5", "i32 holds whole numbers")]
    [TestCase("i32:0x", "i32 holds whole numbers")]
    [TestCase("bool:2", "bool holds whole numbers from 0 to 1")]
    [TestCase("f32[]=zeros", "has the extent ''")]
    [TestCase("f32[4,0]=zeros", "has the extent '0': each is a whole number from 1 to 2147483647")]
    [TestCase("f32[99999999999]=iota", "has the extent '99999999999': each is a whole number from 1 to 2147483647")]
    [TestCase("f32[-4]=zeros", "has the extent '-4'")]
    [TestCase("f32[4;4]=zeros", "has the extent '4;4'")]
    [TestCase("f32[65536,65536]=zeros", "has more than the")]
    [TestCase("f32[4]=random", "is filled with 'random': write zeros, ones, iota, normal, poison or a number")]
    [TestCase("f32[4]=", "is filled with ''")]
    [TestCase("u8[4]=256", "u8 holds whole numbers from 0 to 255")]
    [TestCase("i32[4]=normal", "asks for normal numbers in i32")]
    [TestCase("f32[4]@w.safetensors", "names no tensor: write @FILE.safetensors#NAME")]
    [TestCase("f32[4]@#w", "names no tensor")]
    [TestCase("@w.safetensors#", "names no tensor")]
    [TestCase("bytes:", "has no bytes")]
    [TestCase("bytes:123", "is not hexadecimal")]
    [TestCase("bytes:zz", "is not hexadecimal")]
    public void What_is_no_argument_is_told_in_one_sentence(string text, string part) =>
        Assert.That(() => KernelArgument.Parse(text), Throws.InstanceOf<SprintException>().With.Message.StartsWith($"--arg '{text}' ").And.Message.Contains(part));

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public void Any_text_is_an_argument_or_one_sentence(NonNull<string> text)
    {
        try
        {
            Assert.That(KernelArgument.Parse(text.Get).Text, Is.EqualTo(text.Get));
        }
        catch (SprintException refusal)
        {
            Assert.That(refusal.Message, Does.StartWith("--arg '"));
        }
    }

    [FsCheck.NUnit.Property]
    public void Every_64_bit_number_comes_through_whole(long signed, ulong unsigned, double number)
    {
        Assert.That(MemoryMarshal.Read<long>(((ScalarArgument)KernelArgument.Parse($"i64:{signed}")).Bytes), Is.EqualTo(signed));
        Assert.That(MemoryMarshal.Read<ulong>(((ScalarArgument)KernelArgument.Parse($"u64:{unsigned}")).Bytes), Is.EqualTo(unsigned));
        if (double.IsFinite(number))
        {
            Assert.That(MemoryMarshal.Read<double>(((ScalarArgument)KernelArgument.Parse(string.Create(CultureInfo.InvariantCulture, $"f64:{number:R}"))).Bytes), Is.EqualTo(number));
        }
    }

    [FsCheck.NUnit.Property(MaxTest = 200)]
    public Property A_buffer_has_the_shape_it_is_given() => Prop.ForAll(
        Arb.From(Gen.Zip(Gen.Elements(KernelArgument.TypeNames.Split(", ")), Gen.Choose(1, 9).NonEmptyListOf().Where(static list => list.Count < 5))), drawn =>
        {
            (string type, int[] shape) = (drawn.Item1, [.. drawn.Item2]);
            var argument = (BufferArgument)KernelArgument.Parse($"{type}[{string.Join(",", shape)}]=ones");
            BufferData data = BufferData.Create(argument, seed: 0, index: 0);
            return data.Shape.SequenceEqual(shape) && data.Bytes!.Length == data.ByteCount
                && BufferSummary.Of(data.Type, data.Bytes, null) is { Minimum: 1, Maximum: 1, Mean: 1, NotANumber: 0, NeverWritten: null } summary && summary.Numbers == data.Count;
        });

    [Test]
    public void Fills_are_what_they_say()
    {
        Assert.That(Floats("f32[4]=iota"), Is.EqualTo(new float[] { 0, 1, 2, 3 }));
        Assert.That(Floats("f32[2,2]=-2.5"), Is.EqualTo(new[] { -2.5f, -2.5f, -2.5f, -2.5f }));
        Assert.That(Bytes("u8[300]=iota").Skip(255).Take(3), Is.EqualTo(new byte[] { 255, 0, 1 }), "integers wrap around");
        Assert.That(Bytes("bool[2]=true"), Is.EqualTo(new byte[] { 1, 1 }));
        Assert.That(Floats("f32[2]=inf"), Is.EqualTo(new[] { float.PositiveInfinity, float.PositiveInfinity }));
        Assert.That(Bytes("i64[1]=9007199254740993"), Is.EqualTo(BitConverter.GetBytes(9007199254740993)), "integers are exact");
        Assert.That(BufferData.Create((BufferArgument)KernelArgument.Parse("f32[4]=poison"), 0, 0).Bytes, Is.Null);
    }

    [Test]
    public void Normal_numbers_are_normal_and_follow_seed_and_argument()
    {
        float[] drawn = Floats("f32[10000]=normal", seed: 3, index: 1);
        Assert.That(drawn.Average(), Is.EqualTo(0).Within(0.05));
        Assert.That(drawn.Average(static value => value * value), Is.EqualTo(1).Within(0.05));
        Assert.That(Floats("f32[10000]=normal", seed: 3, index: 1), Is.EqualTo(drawn));
        Assert.That(Floats("f32[10000]=normal", seed: 4, index: 1), Is.Not.EqualTo(drawn));
        Assert.That(Floats("f32[10000]=normal", seed: 3, index: 2), Is.Not.EqualTo(drawn));
    }

    [Test]
    public void Stored_tensors_are_read_and_floats_converted()
    {
        using TemporaryFolder folder = new();
        string path = folder["in#put.safetensors"];
        var writer = new SafetensorsWriter();
        writer.Add("a#b", [2, 2], new[] { 1f, -2f, 3.140625f, 1e-8f });
        writer.AddBytes("half", SafetensorsDataType.F16, [2], new byte[] { 0, 0x3E, 0, 0xC0 });
        writer.Add("ids", [3], new[] { 5, 6, 7 });
        writer.Add("great", [4], new[] { 1f, float.PositiveInfinity, 70000f, 0f });
        writer.Save(path);
        Assert.That(Convert.ToHexString(Bytes($"bf16[4]@{path}#a#b")), Is.EqualTo("803F00C049402C32"));
        Assert.That(Floats($"f32[2]@{path}#half"), Is.EqualTo(new[] { 1.5f, -2f }));
        BufferData whole = BufferData.Create((BufferArgument)BufferData.Resolve(KernelArgument.Parse($"@{path}#ids")), 0, 0);
        Assert.That((whole.Type, whole.Shape.Length, whole.Shape[0]), Is.EqualTo((SafetensorsDataType.I32, 1, 3)));
        Assert.That(MemoryMarshal.Cast<byte, int>(whole.Bytes).ToArray(), Is.EqualTo(new[] { 5, 6, 7 }));
        Refused($"f32[3]@{path}#ids", "holds 3 elements i32[3], which are not converted to f32: only floats are, to other floats");
        Refused($"f16[4]@{path}#great", "element 2 is 70000, which is beyond f16");
        Refused($"f32[5]@{path}#a#b", "holds 4 elements f32[2,2], not 5");
        Refused($"f32[4]@{path}#none", "holds no tensor 'none': it has");
        Refused($"f32[4]@{folder["none.safetensors"]}#x", "none.safetensors");
    }

    private static void Refused(string text, string part) => Assert.That(() => Bytes(text), Throws.InstanceOf<SprintException>().With.Message.Contains(part));

    private static byte[] Bytes(string text, ulong seed = 0, ulong index = 0) => BufferData.Create((BufferArgument)BufferData.Resolve(KernelArgument.Parse(text)), seed, index).Bytes!;

    private static float[] Floats(string text, ulong seed = 0, ulong index = 0) => MemoryMarshal.Cast<byte, float>(Bytes(text, seed, index)).ToArray();
}
