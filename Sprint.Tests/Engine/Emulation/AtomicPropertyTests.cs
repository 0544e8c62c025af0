using FsCheck;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>All atomic operations and reductions of all types, of a warp on a few cells in every space, against the same steps one lane after another (PTX ISA, atom and red).</summary>
public sealed class AtomicPropertyTests
{
    private const int Cells = 4;

    private sealed record Operation(string Name, int Bits, Func<ulong, ulong, ulong, bool, ulong> Step);

    private static IEnumerable<Operation> Operations()
    {
        static ulong Cut(ulong x, int bits) => bits == 64 ? x : x & (1ul << bits) - 1;
        foreach (int bits in new[] { 32, 64 })
        {
            yield return new($"add.u{bits}", bits, (a, b, _, _) => Cut(a + b, bits));
            yield return new($"and.b{bits}", bits, (a, b, _, _) => a & b);
            yield return new($"or.b{bits}", bits, (a, b, _, _) => a | b);
            yield return new($"xor.b{bits}", bits, (a, b, _, _) => a ^ b);
            yield return new($"exch.b{bits}", bits, (_, b, _, _) => b);
            yield return new($"min.u{bits}", bits, (a, b, _, _) => Math.Min(a, b));
            yield return new($"max.u{bits}", bits, (a, b, _, _) => Math.Max(a, b));
            yield return new($"min.s{bits}", bits, (a, b, _, _) => (long)(a << (64 - bits)) < (long)(b << (64 - bits)) ? a : b);
            yield return new($"max.s{bits}", bits, (a, b, _, _) => (long)(a << (64 - bits)) > (long)(b << (64 - bits)) ? a : b);
        }
        foreach (int bits in new[] { 16, 32, 64 })
            yield return new($"cas.b{bits}", bits, (a, b, c, _) => a == b ? c : a);
        yield return new("add.s32", 32, (a, b, _, _) => Cut(a + b, 32));
        yield return new("inc.u32", 32, (a, b, _, _) => a >= b ? 0 : a + 1);
        yield return new("dec.u32", 32, (a, b, _, _) => a == 0 || a > b ? b : a - 1);
        yield return new("add.f32", 32, (a, b, _, global) =>
        {
            // In global memory, and only there, subnormal operands and results are flushed.
            ExactFloat format = ExactFloat.F32;
            return global ? format.Flush(format.Add(format.Flush(a), format.Flush(b), "rn")) : format.Add(a, b, "rn");
        });
        yield return new("add.f64", 64, (a, b, _, _) => ExactFloat.F64.Add(a, b, "rn"));
        foreach (ExactFloat format in new[] { ExactFloat.F16, ExactFloat.BF16 })
        {
            yield return new($"add.noftz.{format.Name}", 16, (a, b, _, _) => format.Add(a, b, "rn"));
            yield return new($"add.noftz.{format.Name}x2", 32, (a, b, _, _) => format.Add(a & 0xFFFF, b & 0xFFFF, "rn") | format.Add(a >> 16, b >> 16, "rn") << 16);
        }
    }

    private static string Program(Operation operation, string space, bool reduction)
    {
        int size = operation.Bits / 8;
        bool shared = space.EndsWith("shared", StringComparison.Ordinal);
        string name = (reduction ? "red." : "atom.") + (space is "global" or "shared" ? space + "." : "") + operation.Name;
        string swap = operation.Name.StartsWith("cas", StringComparison.Ordinal) ? ", %z" : "";
        return $$"""
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry test(.param .u64 cells, .param .u64 places, .param .u64 values, .param .u64 swaps, .param .u64 old)
            {
            .shared .align 8 .b8 s[{{Cells * 8}}];
            .reg .pred %p; .reg .b32 %t, %n; .reg .b64 %c, %a, %b, %s;
            .reg .b{{operation.Bits}} %x, %y, %z;
            mov.u32 %t, %tid.x;
            ld.param.u64 %a, [places]; mad.wide.u32 %a, %t, 4, %a; ld.global.u32 %n, [%a];
            ld.param.u64 %a, [values]; mad.wide.u32 %a, %t, {{size}}, %a; ld.global.b{{operation.Bits}} %x, [%a];
            ld.param.u64 %a, [swaps]; mad.wide.u32 %a, %t, {{size}}, %a; ld.global.b{{operation.Bits}} %z, [%a];
            ld.param.u64 %c, [cells]; mad.wide.u32 %c, %t, {{size}}, %c;
            mov.u64 %s, s; mad.wide.u32 %s, %t, {{size}}, %s;
            setp.lt.u32 %p, %t, {{Cells}};
            @%p ld.global.b{{operation.Bits}} %y, [%c];
            @%p st.shared.b{{operation.Bits}} [%s], %y;
            bar.sync 0;
            {{(shared ? "mov.u64 %b, s;" : "ld.param.u64 %b, [cells];")}}
            {{(space == "generic shared" ? "cvta.shared.u64 %b, %b;" : "")}}
            mad.wide.u32 %b, %n, {{size}}, %b;
            mov.b{{operation.Bits}} %y, {{(operation.Bits == 16 ? "%x" : "0")}};
            {{name}} {{(reduction ? "" : "%y, ")}}[%b], %x{{swap}};
            ld.param.u64 %a, [old]; mad.wide.u32 %a, %t, {{size}}, %a; st.global.b{{operation.Bits}} [%a], %y;
            bar.sync 0;
            {{(shared ? $"@%p ld.shared.b{operation.Bits} %y, [%s]; @%p st.global.b{operation.Bits} [%c], %y;" : "")}}
            ret;
            }
            """;
    }

    [FsCheck.NUnit.Property(MaxTest = 3, Replay = "1129,7")]
    public void Atomic_operations_of_a_warp_are_its_lanes_in_order(DoNotSize<int> seed)
    {
        Random random = new(seed.Item);
        foreach (Operation operation in Operations())
        {
            foreach (string space in new[] { "global", "shared", "generic global", "generic shared" })
            {
                Check(random, operation, space, false);
                if (operation.Name[..3] is not ("cas" or "exc"))
                    Check(random, operation, space, true);
            }
        }
    }

    private static void Check(Random random, Operation operation, string space, bool reduction)
    {
        ulong[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => InstructionForm.Draw(random, operation.Bits))];
        ulong[] cells = Values(Cells), values = Values(32), swaps = Values(32);
        uint[] places = [.. values.Select(_ => (uint)random.Next(Cells))];
        // So that some swaps find what they look for.
        if (operation.Name.StartsWith("cas", StringComparison.Ordinal))
            values = [.. values.Select((value, k) => random.Next(2) == 0 ? cells[places[k]] : value)];
        int size = operation.Bits / 8;
        using EmulatorHarness harness = new(Program(operation, space, reduction));
        ulong memory = harness.Upload(Bytes(cells, size)), old = harness.Reserve<byte>(32 * size);
        harness.Launch("test", new(1), new(32), 0, memory, harness.Upload(places), harness.Upload(Bytes(values, size)), harness.Upload(Bytes(swaps, size)), old);
        ulong[] found = Numbers(harness.Download<byte>(old, 32 * size), size);
        ulong[] state = [.. cells];
        string what = $"{(reduction ? "red" : "atom")} {operation.Name} in {space} memory";
        bool Same(ulong a, ulong b) => a == b || (operation.Name == "add.f64" && ExactFloat.F64.IsNaN(a) && ExactFloat.F64.IsNaN(b));
        for (int lane = 0; lane < 32; lane++)
        {
            ulong before = state[places[lane]];
            state[places[lane]] = operation.Step(before, values[lane], swaps[lane], space.EndsWith("global", StringComparison.Ordinal));
            if (!reduction && !Same(found[lane], before))
                Assert.Fail($"{what}: lane {lane} with 0x{values[lane]:X} finds 0x{found[lane]:X}, expected 0x{before:X}.");
        }
        ulong[] after = Numbers(harness.Download<byte>(memory, Cells * size), size);
        for (int cell = 0; cell < Cells; cell++)
        {
            if (!Same(after[cell], state[cell]))
                Assert.Fail($"{what}: cell {cell}, at first 0x{cells[cell]:X}, holds 0x{after[cell]:X}, expected 0x{state[cell]:X}, after {string.Join(", ", values.Where((_, lane) => places[lane] == cell).Select(x => $"0x{x:X}"))}.");
        }
    }

    private static byte[] Bytes(ulong[] values, int size) => [.. values.SelectMany(value => BitConverter.GetBytes(value)[..size])];

    private static ulong[] Numbers(byte[] bytes, int size) => [.. bytes.Chunk(size).Select(chunk => BitConverter.ToUInt64([.. chunk, .. new byte[8 - size]]))];
}
