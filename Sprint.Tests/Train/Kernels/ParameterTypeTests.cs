using NUnit.Framework;
using Sprint.Model.Checkpoints;
using Sprint.Train;

namespace Sprint.Tests.Train.Kernels;

[TestFixture]
public sealed class ParameterTypeTests
{
    [TestCase("float", false, "F32", 1)]
    [TestCase("unsigned long long", false, "U64", 1)]
    [TestCase("__nv_bfloat16", false, "BF16", 1)]
    [TestCase("float4", false, null, 1)]
    [TestCase("mine::P", false, null, 1)]
    [TestCase("const float*", true, "F32", 1)]
    [TestCase("float const volatile*", true, "F32", 1)]
    [TestCase("float* const", true, "F32", 1)]
    [TestCase("const ulonglong2*", true, "U64", 2)]
    [TestCase("uchar4*", true, "U8", 4)]
    [TestCase("char1*", true, "I8", 1)]
    [TestCase("__half2*", true, "F16", 2)]
    [TestCase("float**", true, "U64", 1)]
    [TestCase("const float* const*", true, "U64", 1)]
    [TestCase("float (*)[4]", true, "F32", 4)]
    [TestCase("const int2 (*)[3][5]", true, "I32", 30)]
    [TestCase("const void*", true, null, 1)]
    [TestCase("mine::P*", true, null, 1)]
    [TestCase("floating*", true, null, 1)]
    [TestCase("void (*)(int)", false, null, 1)]
    public void Types_are_read_as_kernels_have_them(string text, bool pointer, string? element, int lanes)
    {
        var type = ParameterType.Parse(text);
        Assert.That((type.IsPointer, type.Element?.ToString(), type.Lanes), Is.EqualTo((pointer, element, lanes)));
    }

    [TestCase("const float*", "F32")]
    [TestCase("double*", "F64")]
    [TestCase("int*", "I32 U32")]
    [TestCase("unsigned long long*", "I64 U64")]
    [TestCase("unsigned char*", "I8 U8 BOOL")]
    [TestCase("unsigned short*", "I16 U16 F16 BF16")]
    [TestCase("bool*", "BOOL")]
    [TestCase("__half*", "F16")]
    [TestCase("__nv_bfloat16*", "BF16")]
    [TestCase("void*", "BOOL U8 I8 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64")]
    public void Only_elements_of_the_type_are_taken(string text, string taken)
    {
        var type = ParameterType.Parse(text);
        string[] all = ["BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "F64", "I64", "U64"];
        Assert.That(all.Where(element => type.Takes(Enum.Parse<SafetensorsDataType>(element))), Is.EquivalentTo(taken.Split(' ')));
    }
}
