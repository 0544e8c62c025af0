using System.Text.RegularExpressions;
using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>
/// Whatever instruction takes an undefined value gives one on, or uses it, which is the error: none makes it a defined value unseen. Each form here is run once for each of its
/// operands, which alone is undefined, and each of its results, which alone is stored.
/// </summary>
public sealed partial class UndefinedOperandTests
{
    // Sources: <r> 32 bits, <h> 16, <x> 64, <f> and <e> numbers of 32 and 64 bits, <p> and <n> predicates that hold and do not, <a> and <s> addresses of the lane's own 64 bytes in
    // global and in shared memory, <l> in local memory, <b> of the warp's, <m> a full member mask, <z> 0, <w> 16, <y> 32, <g> a function. Results: <=r> and so on.
    // prefetch and nanosleep do nothing that a kernel could see, so they are not here; nor is the predicate that a shuffle gives beside its value, which says what lanes are in range.
    private static readonly string[] Forms =
    [
        "add.s32 <=r>, <r>, <r>;", "add.sat.s32 <=r>, <r>, <r>;", "add.u16 <=h>, <h>, <h>;", "add.u64 <=x>, <x>, <x>;", "sub.u32 <=r>, <r>, <r>;", "mul.lo.u32 <=r>, <r>, <r>;", "mul.hi.s32 <=r>, <r>, <r>;",
        "mul.wide.u32 <=x>, <r>, <r>;", "mul.wide.s16 <=r>, <h>, <h>;", "mad.lo.u32 <=r>, <r>, <r>, <r>;", "mad.wide.u32 <=x>, <r>, <r>, <x>;", "mad.hi.sat.s32 <=r>, <r>, <r>, <r>;", "mul24.lo.u32 <=r>, <r>, <r>;",
        "mad24.lo.s32 <=r>, <r>, <r>, <r>;", "div.u32 <=r>, <r>, <r>;", "rem.s32 <=r>, <r>, <r>;", "neg.s32 <=r>, <r>;", "abs.s64 <=x>, <x>;", "min.u32 <=r>, <r>, <r>;", "max.s64 <=x>, <x>, <x>;", "sad.u32 <=r>, <r>, <r>, <r>;",
        "add.cc.u32 %t, <r>, <r>; addc.u32 <=r>, 0, 0;", "add.cc.u32 %t, 1, 2; addc.cc.u32 <=r>, <r>, <r>;", "sub.cc.u32 %t, <r>, <r>; subc.u32 <=r>, 0, 0;", "mad.lo.cc.u32 %t, <r>, <r>, <r>; madc.hi.u32 <=r>, 1, 2, 0;",
        "add.cc.u32 %t, <r>, <r>; addc.cc.u32 %t, 0, 0; addc.u32 <=r>, 0, 0;",
        "and.b32 <=r>, <r>, <r>;", "or.b64 <=x>, <x>, <x>;", "xor.b16 <=h>, <h>, <h>;", "not.b32 <=r>, <r>;", "cnot.b32 <=r>, <r>;", "shl.b32 <=r>, <r>, <r>;", "shr.u64 <=x>, <x>, <r>;", "lop3.b32 <=r>, <r>, <r>, <r>, 0x96;",
        "and.pred <=p>, <p>, <p>;", "or.pred <=p>, <n>, <n>;", "xor.pred <=p>, <p>, <n>;", "not.pred <=p>, <p>;", "mov.pred <=p>, <p>;",
        "popc.b32 <=r>, <r>;", "clz.b64 <=r>, <x>;", "bfind.u32 <=r>, <r>;", "brev.b32 <=r>, <r>;", "bfe.u32 <=r>, <r>, <r>, <r>;", "bfi.b32 <=r>, <r>, <r>, <r>, <r>;", "prmt.b32 <=r>, <r>, <r>, <r>;", "shf.l.wrap.b32 <=r>, <r>, <r>, <r>;",
        "dp4a.u32.u32 <=r>, <r>, <r>, <r>;", "dp2a.lo.s32.s32 <=r>, <r>, <r>, <r>;", "fns.b32 <=r>, <r>, <r>, <r>;", "szext.clamp.u32 <=r>, <r>, <r>;", "bmsk.clamp.b32 <=r>, <r>, <r>;",
        "add.rn.f32 <=f>, <f>, <f>;", "sub.ftz.f32 <=f>, <f>, <f>;", "mul.f64 <=e>, <e>, <e>;", "div.rn.f32 <=f>, <f>, <f>;", "fma.rn.f32 <=f>, <f>, <f>, <f>;", "mad.rn.f64 <=e>, <e>, <e>, <e>;", "min.f32 <=f>, <f>, <f>;", "max.NaN.f32 <=f>, <f>, <f>;",
        "neg.f32 <=f>, <f>;", "abs.f64 <=e>, <e>;", "copysign.f32 <=f>, <f>, <f>;", "add.f16 <=h>, <h>, <h>;", "fma.rn.f16x2 <=r>, <r>, <r>, <r>;", "fma.rn.bf16x2 <=r>, <r>, <r>, <r>;",
        "rcp.rn.f32 <=f>, <f>;", "sqrt.rn.f64 <=e>, <e>;", "rsqrt.approx.f32 <=f>, <f>;", "ex2.approx.f32 <=f>, <f>;", "lg2.approx.f32 <=f>, <f>;", "sin.approx.f32 <=f>, <f>;", "cos.approx.f32 <=f>, <f>;", "tanh.approx.f32 <=f>, <f>;",
        "setp.lt.u32 <=p>, <r>, <r>;", "setp.eq.f32 <=p>|<=p>, <f>, <f>;", "setp.lt.and.s32 <=p>|<=p>, <r>, <r>, <p>;", "set.gt.u32.f64 <=r>, <e>, <e>;", "selp.b32 <=r>, <r>, 7, <p>;", "selp.b64 <=x>, 7, <x>, <n>;", "slct.s32.f32 <=r>, <r>, <r>, <f>;",
        "testp.finite.f32 <=p>, <f>;", "setp.gt.f16x2 <=p>|<=p>, <r>, <r>;",
        "mov.u32 <=r>, <r>;", "mov.f64 <=e>, <e>;", "mov.b64 <=x>, {<r>, <r>};", "mov.b32 <=r>, {<h>, <h>};", "mov.b64 {<=r>, <=r>}, <x>;", "mov.b32 {<=h>, <=h>}, <r>;",
        "cvt.u64.u32 <=x>, <r>;", "cvt.u16.u32 <=h>, <r>;", "cvt.rzi.s32.f32 <=r>, <f>;", "cvt.rn.f32.s32 <=f>, <r>;", "cvt.f64.f32 <=e>, <f>;", "cvt.rn.f16.f32 <=h>, <f>;", "cvt.rn.bf16x2.f32 <=r>, <f>, <f>;", "cvt.rna.tf32.f32 <=r>, <f>;", "cvt.sat.u8.s32 <=r>, <r>;",
        "cvta.to.global.u64 <=x>, <x>;", "cvta.shared.u64 <=x>, <x>;", "isspacep.global <=p>, <x>;",
        "@<p> mov.u32 <=r>, 3;", "@!<n> st.global.u32 [%a], 3;",
        "ld.global.u32 %t, [<a>];", "ld.global.nc.u32 %t, [<a> + 4];", "ld.volatile.global.u32 %t, [<a>];", "ld.shared.v2.u32 {%t, %d}, [<s>];", "ld.u32 %t, [<a>];", "ldu.global.u32 %t, [<a>];", "ld.acquire.gpu.u32 %t, [<a>];",
        "st.local.u32 [own], 1; ld.local.u32 %t, [<l>];", "st.local.u32 [<l>], 1;", "st.local.u32 [own], <r>; ld.local.u32 <=r>, [own];", "st.local.v2.u32 [own], {<r>, <r>}; ld.local.u64 <=x>, [own];",
        "st.global.u32 [<a>], <r>;", "st.global.v2.f32 [<a>], {<f>, <f>};", "st.global.v4.u32 [%a], {<r>, <r>, <r>, <r>};", "st.shared.u16 [<s>], <h>;", "st.shared.v2.u64 [%s], {<x>, <x>};", "st.u64 [<a>], <x>;", "st.global.u8 [%a], <h>;",
        "st.volatile.shared.u32 [<s>], <r>;", "st.release.gpu.u32 [<a>], <r>;", "@<p> st.release.gpu.u32 [<a>], <r>;", "@<p> st.shared.u32 [<s>], <r>;",
        "atom.global.add.u32 %t, [<a>], <r>;", "atom.global.cas.b32 %t, [<a>], <r>, <r>;", "atom.shared.exch.b32 %t, [<s>], <r>;", "atom.global.add.f32 %f, [<a>], <f>;", "red.global.add.u32 [<a>], <r>;", "red.global.max.u64 [<a>], <x>;", "@<p> atom.shared.inc.u32 %t, [<s>], <r>;",
        "@<p> bra ON; ON:", "@!<n> bra.uni ON; ON:", "TABLE: .branchtargets ON, ON; brx.idx <z>, TABLE; ON:", "@<n> exit;", "@<n> ret;", "@<n> trap;",
        "{ .param .b32 in; .param .b32 out; st.param.b32 [in], <r>; call (out), same, (in); ld.param.b32 <=r>, [out]; }", "{ .param .b32 in; .param .b32 out; st.param.b32 [in], <r>; @<p> call (out), same, (in); ld.param.b32 <=r>, [out]; }",
        "{ .param .b32 in; .param .b32 out; TYPE: .callprototype (.param .b32 _) _ (.param .b32 _); st.param.b32 [in], <r>; call (out), <g>, (in), TYPE; ld.param.b32 <=r>, [out]; }",
        "bar.sync <z>;", "barrier.sync <z>;", "bar.sync 1, <y>;", "bar.arrive 1, <y>;", "bar.red.popc.u32 %t, 0, <p>;", "bar.red.and.pred %q, 0, <p>;", "bar.warp.sync <m>;",
        "shfl.sync.bfly.b32 <=r>, <r>, <z>, 31, -1;", "shfl.sync.bfly.b32 <=r>|%q, <r>, 0, 31, <m>;", "shfl.sync.idx.b32 %t, %r, <z>, 31, -1;", "shfl.sync.up.b32 %t|%q, %r, 1, <z>, -1;", "shfl.sync.down.b32 %t, %r, 1, 31, <m>;", "@<p> shfl.sync.idx.b32 %t, %r, <z>, 31, -1;",
        "vote.sync.all.pred %q, <p>, <m>;", "vote.sync.ballot.b32 %t, <n>, <m>;", "match.any.sync.b32 %t, <r>, <m>;", "match.all.sync.b64 %t|%q, <x>, <m>;", "redux.sync.xor.b32 %t, <r>, <m>;",
        "cp.async.ca.shared.global [<s>], [<a>], 4; cp.async.wait_all;", "cp.async.cg.shared.global [<s>], [<a>], 16, <w>; cp.async.commit_group; cp.async.wait_group 0;", "cp.async.ca.shared.global [%s], [%a], 8, <n>; cp.async.wait_all;",
        "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%t, %d, %i, %j}, [<s>];",
        "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f, %f, %f, %f}, {<r>, <r>}, {<r>}, {<f>, <f>, <f>, <f>};", "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%e, %e}, {<e>}, {<e>}, {<e>, <e>};",
        "wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%t, %t, %t, %t, %t, %t, %t, %t}, [<b>], <w>;", "wmma.store.d.sync.aligned.row.m16n16k16.global.f16 [<b>], {<r>, <r>, <r>, <r>}, <w>;",
        "wmma.mma.sync.aligned.row.col.m16n16k16.f16.f16 {%t, %t, %t, %t}, {<r>, <r>, <r>, <r>, <r>, <r>, <r>, <r>}, {<r>, <r>, <r>, <r>, <r>, <r>, <r>, <r>}, {<r>, <r>, <r>, <r>};",
    ];

    // The register of a source, and how it is written from a predicate or from another register of 32 bits, which is 0 where it is defined.
    private static readonly Dictionary<char, (string Type, string Move, string Make)> Sources = new()
    {
        ['r'] = (".b32", "mov.b32", "add.u32 {0}, {1}, 9;"),
        ['h'] = (".b16", "mov.b16", "cvt.u16.u32 {0}, {1}; add.u16 {0}, {0}, 9;"),
        ['x'] = (".b64", "mov.b64", "cvt.u64.u32 {0}, {1}; add.u64 {0}, {0}, 9;"),
        ['f'] = (".f32", "mov.f32", "cvt.rn.f32.u32 {0}, {1};"),
        ['e'] = (".f64", "mov.f64", "cvt.rn.f64.u32 {0}, {1};"),
        ['p'] = (".pred", "mov.pred", "setp.eq.u32 {0}, {1}, 0;"),
        ['n'] = (".pred", "mov.pred", "setp.ne.u32 {0}, {1}, 0;"),
        ['a'] = (".b64", "mov.b64", "mad.wide.u32 {0}, {1}, 64, %a;"),
        ['b'] = (".b64", "mov.b64", "mad.wide.u32 {0}, {1}, 64, %b;"),
        ['s'] = (".b32", "mov.b32", "add.u32 {0}, %s, {1};"),
        ['l'] = (".b64", "mov.b64", "mov.u64 {0}, own; mad.wide.u32 {0}, {1}, 4, {0};"),
        ['m'] = (".b32", "mov.b32", "sub.u32 {0}, {1}, 1;"),
        ['z'] = (".b32", "mov.b32", "mov.b32 {0}, {1};"),
        ['w'] = (".b32", "mov.b32", "add.u32 {0}, {1}, 16;"),
        ['y'] = (".b32", "mov.b32", "add.u32 {0}, {1}, 32;"),
        ['g'] = (".b64", "mov.b64", "mov.u64 {0}, same; mad.wide.u32 {0}, {1}, 4, {0};"),
    };

    // How a result is stored.
    private static readonly Dictionary<char, (string Type, string Store)> Results = new()
    {
        ['r'] = (".b32", "st.global.u32 [%a], {0};"),
        ['h'] = (".b16", "st.global.u16 [%a], {0};"),
        ['x'] = (".b64", "st.global.u64 [%a], {0};"),
        ['f'] = (".f32", "st.global.f32 [%a], {0};"),
        ['e'] = (".f64", "st.global.f64 [%a], {0};"),
        ['p'] = (".pred", "selp.u32 %t, 1, 0, {0}; st.global.u32 [%a], %t;"),
    };

    [GeneratedRegex("<(=?)([a-z])>")]
    private static partial Regex Placeholder();

    /// <param name="form">The form.</param>
    /// <param name="isWatched">Whether the registers are written on paths of which none alone writes them for sure, so that the emulator watches that they are written at all.</param>
    [Test]
    public void An_undefined_operand_makes_every_result_undefined_or_is_the_error([ValueSource(nameof(Forms))] string form, [Values] bool isWatched)
    {
        int sources = Placeholder().Matches(form).Count(match => match.Groups[1].Length == 0), results = Math.Max(Placeholder().Count(form) - sources, 1);
        Assert.That(sources, Is.Positive);
        for (int result = 0; result < results; result++)
        {
            using (EmulatorHarness clean = Kernel(form, -1, result, isWatched))
                Assert.DoesNotThrow(() => clean.Launch("test", new(1), new(32), 0, clean.Upload(new byte[4096])));
            for (int source = 0; source < sources; source++)
            {
                using EmulatorHarness test = Kernel(form, source, result, isWatched);
                EmulationException fault = test.LaunchFault("test", new(1), new(32), 0, test.Upload(new byte[4096]));
                Assert.That(fault.Detail, Does.StartWith("A shuffle of lane 4 reads lane 16, which its member mask 0x0000FFFF does not name: what it gets is undefined, and lane 4 "), $"source {source}, result {result}");
            }
        }
    }

    // A kernel of one warp that runs a form one of whose sources is undefined in lanes 4 to 15.
    private static EmulatorHarness Kernel(string form, int undefined, int stored, bool isWatched)
    {
        List<string> registers = [], before = [], behind = [];
        int source = 0, result = 0;
        string body = Placeholder().Replace(form, match =>
        {
            char kind = match.Groups[2].Value[0];
            if (match.Groups[1].Length > 0)
            {
                string target = $"%result{result}";
                registers.Add($".reg {Results[kind].Type} {target};");
                if (result++ == stored)
                    behind.Add(string.Format(null, Results[kind].Store, target));
                return target;
            }
            string register = $"%source{source}";
            (string type, string move, string make) = Sources[kind];
            registers.Add($".reg {type} {register}, {register}made;");
            before.Add(string.Format(null, make, register + "made", source == undefined ? "%u" : "%o"));
            before.Add(isWatched ? $"@%odd {move} {register}, {register}made; @!%odd {move} {register}, {register}made;" : $"{move} {register}, {register}made;");
            source++;
            return register;
        });
        return new EmulatorHarness($$"""
            .version 7.8
            .target sm_80
            .address_size 64
            .func (.param .b32 result) same(.param .b32 value)
            {
            .reg .b32 %v;
            ld.param.b32 %v, [value];
            st.param.b32 [result], %v;
            ret;
            }
            .visible .entry test(.param .u64 target)
            {
            .local .align 16 .b8 own[64];
            .shared .align 16 .b8 pool[2048];
            .reg .pred %upper, %odd, %q;
            .reg .b32 %lane, %o, %u, %t, %d, %i, %j, %r, %s;
            .reg .b64 %a, %b;
            .reg .f32 %f;
            .reg .f64 %e;
            {{string.Join('\n', registers)}}
            mov.u32 %lane, %laneid;
            mov.u32 %r, %lane;
            ld.param.u64 %b, [target];
            mad.wide.u32 %a, %lane, 64, %b;
            mov.u32 %s, pool;
            mad.lo.u32 %s, %lane, 64, %s;
            st.shared.v4.u32 [%s], {0, 0, 0, 0};
            bar.warp.sync -1;
            and.b32 %t, %lane, 1;
            setp.ne.u32 %odd, %t, 0;
            mov.u32 %o, 0;
            mov.u32 %u, 0;
            setp.ge.u32 %upper, %lane, 16;
            @%upper bra TOGETHER;
            shfl.sync.down.b32 %u, %o, 12, 31, 0xffff;
            TOGETHER:
            {{string.Join('\n', before)}}
            {{body}}
            {{string.Join('\n', behind)}}
            ret;
            }
            """);
    }
}
