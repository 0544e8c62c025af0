using System.Text;
using FsCheck;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Loads and stores of all widths and vectors at random multiples of their size, through every space (PTX ISA, ld and st).</summary>
public sealed class MemoryPropertyTests
{
    private const int Lanes = 64;

    [FsCheck.NUnit.Property(MaxTest = 4, Replay = "1129,7")]
    public void Vectors_carry_their_bytes_through_every_space(DoNotSize<int> seed)
    {
        Random random = new(seed.Item);
        foreach (string space in new[] { "global", "shared", "local", "generic" })
        {
            foreach (int bits in new[] { 8, 16, 32, 64 })
            {
                for (int count = 1; count <= 4 && bits * count <= 128; count *= 2)
                    Check(random, space, bits, count);
            }
        }
    }

    private static void Check(Random random, string space, int bits, int count)
    {
        int size = bits / 8 * count;
        // A place twice as wide for each lane: accesses are aligned to their size and to no more.
        uint[] from = [.. Enumerable.Range(0, Lanes).Select(_ => (uint)(random.Next(Lanes * 2) * size))];
        uint[] to = [.. Enumerable.Range(0, Lanes).Select(k => (uint)((2 * k + random.Next(2)) * size))];
        random.Shuffle(to);
        byte[] source = new byte[Lanes * 2 * size];
        random.NextBytes(source);
        using EmulatorHarness harness = new(Program(space, bits, count));
        ulong target = harness.Upload(new byte[source.Length]);
        harness.Launch("test", new(1), new(Lanes), 0, harness.Upload(source), target, harness.Upload(from), harness.Upload(to));
        byte[] found = harness.Download<byte>(target, source.Length), expected = new byte[source.Length];
        for (int lane = 0; lane < Lanes; lane++)
            source.AsSpan((int)from[lane], size).CopyTo(expected.AsSpan((int)to[lane]));
        for (int k = 0; k < found.Length; k++)
        {
            if (found[k] != expected[k])
                Assert.Fail($"{count} x b{bits} through {space} memory: byte {k} is 0x{found[k]:X2}, expected 0x{expected[k]:X2}.");
        }
    }

    private static string Program(string space, int bits, int count)
    {
        int size = bits / 8 * count, bytes = Lanes * 2 * size, register = Math.Max(bits, 16);
        string vector = count == 1 ? "" : $".v{count}";
        string registers = string.Join(", ", Enumerable.Range(0, count).Select(k => $"%r{k}"));
        string list = count == 1 ? registers : $"{{{registers}}}";
        StringBuilder through = new();
        // The value goes out to the space, at the target's offset or the thread's own place, and comes back into cleared registers.
        if (space != "global")
        {
            string state = space == "generic" ? "" : "." + space;
            through.AppendLine(space == "local" ? $"mov.u64 %m, own; and.b32 %n, %t, 1; mad.wide.u32 %m, %n, {size}, %m;" : "mov.u64 %m, block; cvt.u64.u32 %o, %n; add.u64 %m, %m, %o;");
            if (space == "generic")
                through.AppendLine("cvta.shared.u64 %m, %m;");
            through.AppendLine($"st{state}{vector}.b{bits} [%m], {list};");
            foreach (int k in Enumerable.Range(0, count))
                through.AppendLine($"mov.b{register} %r{k}, 0;");
            through.AppendLine($"ld{state}{vector}.b{bits} {list}, [%m];");
        }
        return $$"""
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry test(.param .u64 source, .param .u64 target, .param .u64 from, .param .u64 to)
            {
            .shared .align 16 .b8 block[{{bytes}}];
            .local .align 16 .b8 own[{{2 * size}}];
            .reg .b32 %t, %n; .reg .b64 %a, %b, %m, %o; .reg .b{{register}} %r<4>;
            mov.u32 %t, %tid.x;
            ld.param.u64 %a, [from]; mad.wide.u32 %a, %t, 4, %a; ld.global.u32 %n, [%a];
            ld.param.u64 %a, [source]; cvt.u64.u32 %o, %n; add.u64 %a, %a, %o;
            ld.global{{vector}}.b{{bits}} {{list}}, [%a];
            ld.param.u64 %b, [to]; mad.wide.u32 %b, %t, 4, %b; ld.global.u32 %n, [%b];
            ld.param.u64 %b, [target]; cvt.u64.u32 %o, %n; add.u64 %b, %b, %o;
            {{through}}
            st.global{{vector}}.b{{bits}} [%b], {{list}};
            ret;
            }
            """;
    }
}
