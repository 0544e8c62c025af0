using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>The mangled names are what NVRTC 11.8 and clang make of the declarations beside them.</summary>
public class KernelNameTests
{
    private static readonly string[] Entries = ["_ZN1a3dupEPi", "_ZN1b3dupEPi", "_Z5scaleIfEvPT_i", "_Z5scaleIdEvPT_i", "plain", "_Z4onlyv"];

    [TestCase("plain", "plain", "plain")]
    [TestCase("_Z4onlyv", "only", "only()")]
    [TestCase("_Z1kPfi", "k", "k(float*, int)")]
    [TestCase("_ZN4mine4rootEPf", "mine::root", "mine::root(float*)")]
    [TestCase("_ZN1a12_GLOBAL__N_11zEPi", "a::(anonymous namespace)::z", "a::(anonymous namespace)::z(int*)")]
    [TestCase("_ZN36_GLOBAL__N__2d9f1a2b_4_t_cu_0f3c1b2a1zEPi", "(anonymous namespace)::z", "(anonymous namespace)::z(int*)")]
    [TestCase("_Z1kI13__nv_bfloat16Li8ELb1EEvPT_1PPKS1_", "k", "k<__nv_bfloat16, 8, true>(__nv_bfloat16*, P, const __nv_bfloat16*)")]
    [TestCase("_Z2apIXadL_Z2sqfEEEvPf", "ap", "ap<&sq>(float*)")]
    [TestCase("_Z2ttI1VEvPT_IiE", "tt", "tt<V>(V<int>*)")]
    [TestCase("_Z2enIL1E1EEvPi", "en", "en<(E)1>(int*)")]
    [TestCase("_Z2vaIJiPfxEEvDpT_", "va", "va<int, float*, long long>(int, float*, long long)")]
    [TestCase("_Z2vaIJEEvDpT_", "va", "va<>()")]
    [TestCase("_Z2vaIJifEEvDpPT_i", "va", "va<int, float>(int*, float*, int)")]
    [TestCase("_Z1fPVKfS0_", "f", "f(const volatile float*, const volatile float*)")]
    [TestCase("_Z1fPKPf", "f", "f(float* const*)")]
    [TestCase("_Z1fPFviE", "f", "f(void (*)(int))")]
    [TestCase("_Z1fPA4_f", "f", "f(float (*)[4])")]
    [TestCase("_Z1fRA4_KfOi", "f", "f(const float (&)[4], int&&)")]
    [TestCase("_ZN1n1fINS_1SEEEvT_PS2_", "n::f", "n::f<n::S>(n::S, n::S*)")]
    [TestCase("_ZN1n1fESt4pairIiNS_4VectEE", "n::f", "n::f(std::pair<int, n::Vect>)")]
    [TestCase("_Z1fILin3ELj4ELl5ELm6EEvv", "f", "f<-3, 4u, 5l, 6ul>()")]
    [TestCase("_Z1gIZN1m3runEiEUlfE_EvT_Pf", "g", "g<m::run(int)::{lambda(float)#1}>(m::run(int)::{lambda(float)#1}, float*)")]
    public void MangledNamesReadAsTheirAuthorWroteThem(string mangled, string qualified, string signature)
    {
        KernelName name = KernelName.Parse(mangled);
        Assert.That((name.Qualified, name.Signature), Is.EqualTo((qualified, signature)));
    }

    [TestCase("_Z")]
    [TestCase("_Z9short")]
    [TestCase("_ZN")]
    [TestCase("_ZNE")]
    [TestCase("_Z1kS_")]
    [TestCase("_Z1kT_")]
    [TestCase("_Z1kPfq")]
    [TestCase("_Z99999999999999999999k")]
    [TestCase("_Z1kIXspT_EEvv")]
    public void NamesThatAreNotUnderstoodStayAsTheyAre(string mangled)
    {
        KernelName name = KernelName.Parse(mangled);
        Assert.That((name.Signature, name.ParameterTypes), Is.EqualTo((mangled, (IReadOnlyList<string>?)null)));
    }

    [Test]
    public void HostileNamesNeitherOverflowTheStackNorTheMemory()
    {
        Assert.That(KernelName.Parse("_Z1k" + new string('P', 4000) + "f").ParameterTypes, Is.Null);

        // Each argument doubles the one before: 2^40 characters, if they were written out.
        string bomb = "_Z1k1AIiiE" + string.Concat(Enumerable.Range(0, 40).Select(static i => i == 0 ? "1AIS1_S1_E" : $"S_IS{Base36(i)}_S{Base36(i)}_E"));
        Assert.That(KernelName.Parse(bomb).Signature, Has.Length.LessThanOrEqualTo(8192));
        Assert.That(KernelName.Parse("_Z1kI" + new string('J', 4000)).ParameterTypes, Is.Null);
    }

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public void NoTextMakesTheReaderFail(NonNull<string> text) => Assert.That(KernelName.Parse("_Z" + text.Get).Mangled, Is.EqualTo("_Z" + text.Get));

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public Property NoMangledNoiseMakesTheReaderFail() => Prop.ForAll(
        Arb.From(Gen.Elements("1k", "2ab", "N", "E", "I", "P", "K", "f", "i", "v", "S_", "S0_", "T_", "T0_", "Dp", "J", "L", "Li3E", "F", "A4_", "Z", "X", "ad", "R", "St", "Ul").ListOf().Select(string.Concat)),
        noise => KernelName.Parse("_Z" + noise).Mangled == "_Z" + noise);

    /// <summary>Declarations are mangled here by the ABI's rules, written down a second time for what the generator makes of them.</summary>
    [FsCheck.NUnit.Property(MaxTest = 500)]
    public Property SimpleDeclarationsComeBack()
    {
        (string Code, string Text)[] types = [("f", "float"), ("i", "int"), ("y", "unsigned long long"), ("Pd", "double*"), ("Ph", "unsigned char*"), ("b", "bool")];
        var parameter = Gen.Elements(types).ListOf().Select(static list => list.DistinctBy(static type => type.Code).ToArray());
        var identifier = Gen.Elements("k", "scale_rows", "attention", "x1", "ns");
        return Prop.ForAll(Arb.From(Gen.Zip(identifier.NonEmptyListOf(), parameter)), declaration =>
        {
            (IReadOnlyList<string> path, (string Code, string Text)[] parameters) = ([.. declaration.Item1], declaration.Item2);
            string name = string.Concat(path.Select(static part => $"{part.Length}{part}"));
            string mangled = "_Z" + (path.Count > 1 ? $"N{name}E" : name) + (parameters.Length == 0 ? "v" : string.Concat(parameters.Select(static type => type.Code)));
            string expected = $"{string.Join("::", path)}({string.Join(", ", parameters.Select(static type => type.Text))})";
            return KernelName.Parse(mangled).Signature == expected;
        });
    }

    [TestCase("_Z5scaleIfEvPT_i", "_Z5scaleIfEvPT_i")]
    [TestCase("scale<float>", "_Z5scaleIfEvPT_i")]
    [TestCase("scale< double >", "_Z5scaleIdEvPT_i")]
    [TestCase("scale<float>(float *, int)", "_Z5scaleIfEvPT_i")]
    [TestCase("a::dup", "_ZN1a3dupEPi")]
    [TestCase("plain", "plain")]
    [TestCase("only", "_Z4onlyv")]
    public void KernelsAreFoundByAnyUnambiguousName(string wanted, string mangled) =>
        Assert.That(KernelName.Find(Entries, wanted, "x.cu").Mangled, Is.EqualTo(mangled));

    [TestCase("scale", "'scale' names 2 kernels of x.cu: write one of scale<double>(double*, int); scale<float>(float*, int), or its exact name: _Z5scaleIfEvPT_i, _Z5scaleIdEvPT_i")]
    [TestCase("dup", "'dup' names 2 kernels of x.cu: write one of a::dup(int*); b::dup(int*)")]
    [TestCase("scale<int>", "x.cu has no kernel 'scale<int>': it has a::dup(int*); b::dup(int*); only(); plain; scale<double>(double*, int); scale<float>(float*, int)")]
    public void AnUnknownOrAmbiguousNameListsWhatThereIs(string wanted, string message) =>
        Assert.That(() => KernelName.Find(Entries, wanted, "x.cu"), Throws.InstanceOf<SprintException>().With.Message.StartsWith(message));

    [Test]
    public void NumbersMayBeWrittenWithoutTheirSuffix() =>
        Assert.That(KernelName.Find(["_Z1fILj4EEvv", "_Z1fILj8EEvv"], "f<8>", "x.cu").Mangled, Is.EqualTo("_Z1fILj8EEvv"));

    private static string Base36(int value) => value < 36 ? $"{"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[value]}" : $"1{"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[value - 36]}";
}
