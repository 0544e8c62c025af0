using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Names of PTX: each once in a scope, whatever it names; inner scopes hide outer ones.</summary>
public sealed class DeclarationTests
{
    private const string Head = ".version 7.8\n.target sm_80\n.address_size 64\n";

    [TestCase(".reg .b32 %r<6>;", ".reg .b32 %r<6>;", "%r<6>")]
    [TestCase(".reg .b32 %r<6>;", ".reg .f32 %r<10>;", "%r<10>")]
    [TestCase(".reg .b32 %r<6>;", ".reg .b32 %r3;", "%r3")]
    [TestCase(".reg .b32 %r<6>;", ".reg .b32 %r03;", "%r03")]
    [TestCase(".reg .b32 %r3, %r8;", ".reg .b32 %r<6>;", "%r3")]
    [TestCase(".shared .b32 %r3;", ".reg .b32 %r<6>;", "%r3")]
    [TestCase(".reg .b32 %r<6>; mov.b32 %r3, 0;", ".reg .b32 %r3;", "%r3")]
    [TestCase(".reg .b32 a;", ".reg .b64 a;", "a")]
    [TestCase(".reg .b32 a;", ".local .b32 a;", "a")]
    [TestCase(".local .b32 a;", ".reg .b32 a;", "a")]
    [TestCase(".local .b32 a;", ".shared .b32 a;", "a")]
    [TestCase(".local .b32 a;", ".local .b32 a;", "a")]
    [TestCase(".shared .b32 a;", ".shared .b32 a;", "a")]
    [TestCase(".param .b32 a;", ".param .b32 a;", "a")]
    [TestCase(".reg .b32 a;", "a: bra a;", "a")]
    [TestCase("a: bra a;", ".shared .b32 a;", "a")]
    [TestCase("a: bra a;", "a: bra a;", "a")]
    [TestCase("T: .branchtargets A, B;", "T: .branchtargets A, B; A: B:", "T")]
    [TestCase("P: .callprototype _ (.param .b32 _);", "P: bra P;", "P")]
    public void A_name_declared_twice_in_a_scope_is_refused_with_both_lines(string first, string second, string name)
    {
        Assert.That(Refusal($"{Head}.visible .entry k()\n{{\n{first}\n{second}\nret;\n}}\n"), Is.EqualTo($"The name {name} is declared twice in one scope, on line 6 and on line 7, in module twice.ptx, PTX line 7."));
        string inner = $"{Head}.visible .entry k()\n{{\n{first.Replace(" A, B", " K, K")} K: ret;\n{{\n{second.Replace(" A, B", " K, K")}\nret;\n}}\n}}\n";
        Assert.That(() => PtxModule.Parse(inner, "nested.ptx"), Throws.Nothing, "an inner scope may hide what an outer one declares");
    }

    [TestCase(".reg .b32 p;")]
    [TestCase(".local .b32 p;")]
    [TestCase(".shared .b32 p;")]
    [TestCase("p: bra p;")]
    public void A_parameter_is_of_the_scope_of_the_body(string second)
        => Assert.That(Refusal($"{Head}.visible .entry k(.param .u64 p)\n{{\n{second}\nret;\n}}\n"), Does.StartWith("The name p is declared twice in one scope, on line 4 and on line 6,"));

    [TestCase(".visible .entry k(.param .u64 p,", ".param .u32 p) { ret; }", "p")]
    [TestCase(".func (.param .b32 p) f(", ".param .b32 p) { ret; }", "p")]
    [TestCase(".global .b32 s;", ".global .b32 s;", "s")]
    [TestCase(".global .b32 s;", ".shared .b32 s;", "s")]
    [TestCase(".weak .global .b32 s;", ".weak .global .b32 s;", "s")]
    [TestCase(".extern .shared .b32 s[];", ".extern .shared .b64 s[];", "s")]
    [TestCase(".extern .global .b32 s;", ".visible .const .b32 s;", "s")]
    [TestCase(".global .b32 s;", ".entry s() { ret; }", "s")]
    [TestCase(".func s() { ret; }", ".global .b32 s;", "s")]
    [TestCase(".func s() { ret; }", ".entry s() { ret; }", "s")]
    [TestCase(".func s();", ".entry s() { ret; }", "s")]
    [TestCase(".entry s() { ret; }", ".entry s() { ret; }", "s")]
    public void A_name_declared_twice_in_a_module_is_refused_with_both_lines(string first, string second, string name)
        => Assert.That(Refusal($"{Head}{first}\n{second}\n"), Does.StartWith($"The name {name} is declared twice in one scope, on line 4 and on line 5,"));

    [Test]
    public void A_function_is_defined_as_it_was_declared()
        => Assert.That(Refusal($"{Head}.func f(.param .b32 a);\n.func f(.param .b64 a) {{ ret; }}\n"), Does.StartWith("The function f has other parameters than on line 4"));

    [Test]
    public void What_is_external_may_be_declared_again_and_defined_once()
        => Assert.That(
            () => PtxModule.Parse(Head + ".extern .global .b32 s;\n.extern .global .b32 s;\n.visible .global .b32 s;\n.extern .global .b32 s;\n.func f(.param .b32 a);\n.func f(.param .b32 b);\n.func f(.param .b32 c) { ret; }\n", "again.ptx"),
            Throws.Nothing);

    [Test]
    public void Inner_registers_hide_outer_ones_as_far_as_they_are_declared()
    {
        using EmulatorHarness harness = new(Head + """
            .visible .entry k(.param .u64 p)
            {
            .reg .b32 %r<6>; .reg .b64 %d;
            ld.param.u64 %d, [p];
            mov.b32 %r0, 1; mov.b32 %r4, 2;
            {
            .reg .b32 %r<2>;
            mov.b32 %r0, 10; mov.b32 %r04, 20;
            st.global.u32 [%d], %r0;
            }
            st.global.u32 [%d+4], %r0;
            st.global.u32 [%d+8], %r4;
            ret;
            }
            """);
        ulong target = harness.Reserve<int>(3);
        harness.Launch("k", new(1), new(1), 0, target);
        Assert.That(harness.Download<int>(target, 3), Is.EqualTo(new[] { 10, 1, 20 }));
    }

    [Test]
    public void A_prefix_of_registers_may_end_in_a_digit()
    {
        using EmulatorHarness harness = new(Head + ".visible .entry k(.param .u64 p) { .reg .b32 %r<3>, %r1<4>; .reg .b64 %d; ld.param.u64 %d, [p]; mov.b32 %r12, 7; st.global.u32 [%d], %r12; ret; }");
        ulong target = harness.Reserve<int>(1);
        harness.Launch("k", new(1), new(1), 0, target);
        Assert.That(harness.Download<int>(target, 1)[0], Is.EqualTo(7));
    }

    private static string Refusal(string ptx) => Assert.Throws<EmulationException>(() => PtxModule.Parse(ptx, "twice.ptx"))!.Message;
}
