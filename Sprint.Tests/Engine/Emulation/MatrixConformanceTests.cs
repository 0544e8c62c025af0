using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>
/// Matrix products and loads, with the fragment layouts of the ISA written down here a second time: element (row, k) of A
/// and (k, column) of B are put into the lane and register that the ISA names.
/// </summary>
public sealed class MatrixConformanceTests
{
    private sealed record Shape(string Type, int Depth, int PerRegister, Func<float, uint> Encode, Func<float, float> Round);

    private static readonly Shape[] Shapes =
    [
        new("bf16", 16, 2, x => BitConverter.SingleToUInt32Bits(x) >> 16, Truncate(16)),
        new("bf16", 8, 2, x => BitConverter.SingleToUInt32Bits(x) >> 16, Truncate(16)),
        new("f16", 16, 2, x => BitConverter.HalfToUInt16Bits((Half)x), x => (float)(Half)x),
        new("f16", 8, 2, x => BitConverter.HalfToUInt16Bits((Half)x), x => (float)(Half)x),
        new("tf32", 8, 1, BitConverter.SingleToUInt32Bits, Truncate(13)),
        new("tf32", 4, 1, BitConverter.SingleToUInt32Bits, Truncate(13)),
    ];

    private static Func<float, float> Truncate(int bits) => x => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(x) >> bits << bits);

    private static IEnumerable<int> ShapeNumbers => Enumerable.Range(0, Shapes.Length);

    private static string Registers(string prefix, int count) => "{" + string.Join(", ", Enumerable.Range(0, count).Select(k => prefix + k)) + "}";

    private static string Program(string instruction, int left, int right, int results, char result) => $$"""
        .version 7.8
        .target sm_80
        .address_size 64
        .visible .entry test(.param .u64 a, .param .u64 b, .param .u64 c, .param .u64 d)
        {
        .reg .b64 %p; .reg .b32 %t; .reg .b32 %a<4>, %b<2>; .reg .{{result}}32 %c<4>, %d<4>;
        mov.u32 %t, %tid.x;
        {{Access("a", "ld.global.b32 %a#, [%p+OFF];", left)}}
        {{Access("b", "ld.global.b32 %b#, [%p+OFF];", right)}}
        {{Access("c", "ld.global.b32 %c#, [%p+OFF];", results)}}
        {{instruction}} {{Registers("%d", results)}}, {{Registers("%a", left)}}, {{Registers("%b", right)}}, {{Registers("%c", results)}};
        {{Access("d", "st.global.b32 [%p+OFF], %d#;", results)}}
        ret;
        }
        """;

    private static string Access(string parameter, string line, int count)
        => $"ld.param.u64 %p, [{parameter}]; mad.wide.u32 %p, %t, {count * 4}, %p;\n"
            + string.Concat(Enumerable.Range(0, count).Select(k => line.Replace("#", $"{k}").Replace("OFF", $"{k * 4}") + "\n"));

    [TestCaseSource(nameof(ShapeNumbers))]
    public void A_product_takes_fragments_as_the_isa_lays_them_out(int number)
    {
        Shape shape = Shapes[number];
        (int depth, int per) = (shape.Depth, shape.PerRegister);
        Random random = new(number);
        float[,] a = new float[16, depth], b = new float[depth, 8], c = new float[16, 8];
        Fill(a, random);
        Fill(b, random);
        Fill(c, random);
        int left = 16 * depth / 32 / per, right = 8 * depth / 32 / per;
        uint[] fa = new uint[32 * left], fb = new uint[32 * right];
        float[] fc = new float[128];
        for (int lane = 0; lane < 32; lane++)
        {
            int group = lane / 4, member = lane % 4;
            for (int k = 0; k < left; k++)
            {
                for (int e = 0; e < per; e++)
                    fa[lane * left + k] |= shape.Encode(a[group + (k % 2 == 1 ? 8 : 0), member * per + e + (k >= 2 ? 4 * per : 0)]) << 16 * e;
            }
            for (int k = 0; k < right; k++)
            {
                for (int e = 0; e < per; e++)
                    fb[lane * right + k] |= shape.Encode(b[member * per + e + k * 4 * per, group]) << 16 * e;
            }
            for (int k = 0; k < 4; k++)
                fc[lane * 4 + k] = c[group + (k >= 2 ? 8 : 0), member * 2 + k % 2];
        }
        using EmulatorHarness harness = new(Program($"mma.sync.aligned.m16n8k{depth}.row.col.f32.{shape.Type}.{shape.Type}.f32", left, right, 4, 'f'));
        ulong target = harness.Reserve<float>(128);
        harness.Launch("test", new(1), new(32), 0, harness.Upload(fa), harness.Upload(fb), harness.Upload(fc), target);
        float[] actual = harness.Download<float>(target, 128);
        for (int lane = 0; lane < 32; lane++)
        {
            for (int k = 0; k < 4; k++)
            {
                int row = lane / 4 + (k >= 2 ? 8 : 0), column = lane % 4 * 2 + k % 2;
                double expected = c[row, column];
                for (int step = 0; step < depth; step++)
                    expected += (double)shape.Round(a[row, step]) * shape.Round(b[step, column]);
                Assert.That(actual[lane * 4 + k], Is.EqualTo(expected).Within(2e-6), $"({row},{column})");
            }
        }
    }

    private static void Fill(float[,] matrix, Random random)
    {
        for (int row = 0; row < matrix.GetLength(0); row++)
        {
            for (int column = 0; column < matrix.GetLength(1); column++)
                matrix[row, column] = random.NextSingle() * 2 - 1;
        }
    }

    [Test]
    public void A_product_of_bytes_is_exact()
    {
        Random random = new(3);
        uint[] fa = [.. Enumerable.Range(0, 128).Select(_ => (uint)random.NextInt64(1L << 32))];
        uint[] fb = [.. Enumerable.Range(0, 64).Select(_ => (uint)random.NextInt64(1L << 32))];
        int[] fc = [.. Enumerable.Range(0, 128).Select(_ => random.Next(-1000, 1000))];
        using EmulatorHarness harness = new(Program("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32", 4, 2, 4, 'b'));
        ulong target = harness.Reserve<int>(128);
        harness.Launch("test", new(1), new(32), 0, harness.Upload(fa), harness.Upload(fb), harness.Upload(fc), target);
        int[] actual = harness.Download<int>(target, 128);
        for (int e = 0; e < 128; e++)
        {
            int lane = e / 4, k = e % 4, row = lane / 4 + (k >= 2 ? 8 : 0), column = lane % 4 * 2 + k % 2;
            int expected = fc[e];
            for (int step = 0; step < 32; step++)
            {
                int left = (sbyte)(fa[(row % 8 * 4 + step % 16 / 4) * 4 + (row / 8) + step / 16 * 2] >> step % 4 * 8);
                int right = (byte)(fb[(column * 4 + step % 16 / 4) * 2 + step / 16] >> step % 4 * 8);
                expected += left * right;
            }
            Assert.That(actual[e], Is.EqualTo(expected));
        }
    }

    [TestCase(1, false)]
    [TestCase(2, false)]
    [TestCase(4, false)]
    [TestCase(2, true)]
    [TestCase(4, true)]
    public void A_matrix_load_gives_each_lane_its_elements(int count, bool transposed)
    {
        string ptx = $$"""
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry test(.param .u64 source, .param .u64 target)
            {
            .shared .align 16 .b8 s[512];
            .reg .b64 %p; .reg .b32 %t, %o; .reg .b32 %v<4>; .reg .b32 %d<4>;
            mov.u32 %t, %tid.x;
            ld.param.u64 %p, [source];
            mad.wide.u32 %p, %t, 16, %p;
            ld.global.v4.b32 {%v0, %v1, %v2, %v3}, [%p];
            shl.b32 %o, %t, 4;
            st.shared.v4.b32 [%o], {%v0, %v1, %v2, %v3};
            bar.sync 0;
            ldmatrix.sync.aligned.m8n8.x{{count}}{{(transposed ? ".trans" : "")}}.shared.b16 {{Registers("%d", count)}}, [%o];
            ld.param.u64 %p, [target];
            mad.wide.u32 %p, %t, {{count * 4}}, %p;
            {{string.Concat(Enumerable.Range(0, count).Select(k => $"st.global.b32 [%p+{k * 4}], %d{k};\n"))}}
            ret;
            }
            """;
        ushort[] source = [.. Enumerable.Range(0, 256).Select(k => (ushort)(k * 251))];
        using EmulatorHarness harness = new(ptx);
        ulong target = harness.Reserve<uint>(32 * count);
        harness.Launch("test", new(1), new(32), 0, harness.Upload(source), target);
        uint[] actual = harness.Download<uint>(target, 32 * count);
        for (int e = 0; e < actual.Length; e++)
        {
            int lane = e / count, matrix = e % count, first = lane % 4 * 2;
            ushort Element(int row, int column) => source[matrix * 64 + (transposed ? column * 8 + row : row * 8 + column)];
            Assert.That(actual[e], Is.EqualTo(Element(lane / 4, first) | (uint)Element(lane / 4, first + 1) << 16));
        }
    }

    [Test]
    public void A_matrix_instruction_in_a_partial_warp_is_an_error()
    {
        using EmulatorHarness harness = new(Program("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 4, 2, 4, 'f'));
        ulong data = harness.Upload(new float[512]);
        EmulationException fault = harness.LaunchFault("test", new(1), new(31), 0, data, data, data, harness.Reserve<float>(128));
        Assert.That(fault.Fault, Is.EqualTo(EmulationFault.WarpSynchronization));
        Assert.That(fault.Message, Does.Contain("all 32 lanes"));
    }
}
