using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>
/// What a shuffle reads from a lane that does not take part is undefined, no more (PTX ISA, shfl.sync): kernels that throw it away run, whatever it went through,
/// and those that use it are told what was read, from whom, and where it is used.
/// </summary>
public sealed class ShuffleTests
{
    private const int Threads = 192;

    private EmulatorHarness harness = null!;

    [SetUp]
    public void Load() => harness = EmulatorHarness.FromResource("shuffles");

    [TearDown]
    public void Unload() => harness.Dispose();

    /// <summary>A kernel over an input, with what each thread of the repaired form gives, given the values of its warp and its lane; -1 where it gives nothing.</summary>
    /// <param name="Threads">Threads of a block.</param>
    /// <param name="Why">Why the lane that the shuffle reads is not to be read.</param>
    /// <param name="Use">What is done with it.</param>
    /// <param name="Expected">The values of a warp and a lane.</param>
    private sealed record Case(int Threads, string Why, string Use, Func<int[], int, int> Expected)
    {
        /// <summary>What the marked lines of the shuffle and the use end in, if not in the kernel's name.</summary>
        public string? Lines { get; init; }

        /// <summary>A number as the bytes of an element.</summary>
        public Func<int, byte[]> Element { get; init; } = BitConverter.GetBytes;
    }

    private const string NotNamed = "which its member mask 0x000007FF does not name";
    private const string NotNamedOfHalf = "which its member mask 0x0000FFFF does not name";

    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["sum_int"] = new(64, NotNamed, "stores it", Eleven) { Lines = "shuffled" },
        ["sum_float"] = new(64, NotNamed, "stores it", Eleven) { Lines = "shuffled", Element = Single },
        ["sum_double"] = new(64, NotNamed, "stores it", Eleven) { Lines = "shuffled", Element = x => BitConverter.GetBytes((double)x) },
        ["sum_long"] = new(64, NotNamed, "stores it", Eleven) { Lines = "shuffled", Element = x => BitConverter.GetBytes((long)x) },
        ["sum_halves"] = new(64, NotNamed, "stores it", Eleven) { Lines = "shuffled", Element = x => [.. BitConverter.GetBytes((Half)x), .. BitConverter.GetBytes((Half)(-x))] },
        ["sum_brain"] = new(64, NotNamed, "stores it", Eleven) { Lines = "shuffled", Element = x => Single(x)[2..] },
        ["half_warp_tree"] = new(64, NotNamedOfHalf, "stores it", (x, lane) => lane == 0 ? x[..16].Sum() : -1),
        ["tile_tree"] = new(64, "which has ended", "stores it", (x, lane) => lane % 8 == 0 ? x[lane..(lane + 6)].Sum() : -1),
        ["beyond_the_block"] = new(48, "which is beyond the end of the block", "stores it", (x, lane) => x[lane ^ 16]),
        ["smallest"] = new(64, NotNamed, "stores it", (x, lane) => lane < 3 ? Math.Min(x[lane], x[lane + 8]) : x[lane]),
        ["largest"] = new(64, NotNamed, "stores it", LargestOfEleven) { Element = Single },
        ["branch"] = new(64, NotNamed, "branches on it", (x, lane) => lane < 8 && x[lane + 3] > 2 ? 5 : 0),
        ["index_of"] = new(64, NotNamed, "takes it for an address", (x, lane) => lane < 8 ? Input(x[lane + 3]) : lane < 11 ? Input(0) : 0),
        ["vote"] = new(64, NotNamed, "gives it to other lanes", (x, lane) => lane < 11 ? x[3..11].Count(value => value > 2) : 0),
        ["counter"] = new(64, NotNamed, "uses it", (x, lane) => lane < 8 ? x[lane + 3] : 0),
        ["shared_store"] = new(64, NotNamed, "stores it", (x, lane) => (lane ^ 1) < 8 ? x[(lane ^ 1) + 3] : 0),
        ["local_array"] = new(64, NotNamed, "stores it", (x, lane) => lane < 11 ? lane * 10 : (x[lane] & 3) + 1),
        ["struct_copy"] = new(64, NotNamed, "stores it", (x, lane) => x[lane]) { Element = Single },
        ["passed_on"] = new(64, NotNamedOfHalf, "stores it", (x, lane) => lane == 0 ? x[..16].Sum() : x[lane]) { Element = Single },
        ["called_apart"] = new(64, NotNamed, "stores it", (x, lane) => lane < 8 ? x[lane + 3] + 1 : lane),
        ["overwritten"] = new(64, NotNamed, "stores it", (x, lane) => lane < 11 ? x[lane] : 0),
    };

    private static IEnumerable<string> Names => Cases.Keys;

    private static int Input(int k) => k * 7 % 8;

    private static byte[] Single(int x) => BitConverter.GetBytes((float)x);

    private static int Eleven(int[] x, int lane)
    {
        int[] sums = [.. x];
        for (int offset = 8; offset > 0; offset /= 2)
        {
            for (int k = 0; k + offset < 11; k++)
                sums[k] += sums[k + offset];
        }
        return sums[lane];
    }

    private static int LargestOfEleven(int[] x, int lane)
    {
        int[] places = [.. Enumerable.Range(0, 32)];
        for (int offset = 8; offset > 0; offset /= 2)
        {
            for (int k = 0; k + offset < 11; k++)
                places[k] = x[places[k + offset]] > x[places[k]] ? places[k + offset] : places[k];
        }
        return places[lane];
    }

    private LaunchStatistics Run(string kernel, int repaired, out ulong target)
    {
        Case tried = Cases[kernel];
        byte[] input = [.. Enumerable.Range(0, Threads).SelectMany(k => tried.Element(Input(k)))];
        target = harness.Upload(input.Select(_ => (byte)0).ToArray());
        if (kernel is not "counter")
            target = harness.Reserve<byte>(input.Length);
        return harness.Launch(kernel, new(3), new((uint)tried.Threads), 0, harness.Upload(input), target, repaired);
    }

    [Test]
    public void An_undefined_value_that_is_thrown_away_is_no_error_under_any_schedule([ValueSource(nameof(Names))] string kernel, [Values(1, 2, 7)] int workers)
    {
        Case tried = Cases[kernel];
        Func<int, byte[]> result = kernel == "largest" ? BitConverter.GetBytes : tried.Element;
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            Run(kernel, 1, out ulong target);
            for (int k = 0; k < Threads; k++)
            {
                int[] warp = [.. Enumerable.Range(k / 32 * 32, 32).Select(Input)];
                int lane = k % 32;
                if (k % 64 >= tried.Threads || tried.Expected(warp, lane) == -1)
                    continue;
                int wanted = kernel == "beyond_the_block" && k % 64 >= 32 ? 0 : tried.Expected(warp, lane);
                byte[] bytes = result(wanted);
                byte[] found = harness.Download<byte>(target + (ulong)(k * bytes.Length), bytes.Length);
                Assert.That(found, Is.EqualTo(bytes), $"thread {k}, {wanted} wanted");
            }
        }
    }

    [Test]
    public void An_undefined_value_that_is_used_is_told_with_the_shuffle_and_the_use_under_every_schedule([ValueSource(nameof(Names))] string kernel, [Values(1, 2, 7)] int workers)
    {
        Case tried = Cases[kernel];
        string lines = tried.Lines ?? kernel;
        int[] shuffles = EmulatorHarness.LinesThatEnd("shuffles", "BUG " + lines), uses = EmulatorHarness.LinesThatEnd("shuffles", "LATE " + lines);
        foreach (EmulationOptions options in EmulatorHarness.Schedules(workers))
        {
            harness.Options = options;
            EmulationException fault = Assert.Throws<EmulationException>(() => Run(kernel, 0, out _), $"seed {options.ScheduleSeed}")!;
            using (Assert.EnterMultipleScope())
            {
                Assert.That(fault.Fault, Is.EqualTo(EmulationFault.WarpSynchronization), fault.Message);
                Assert.That((fault.Kernel, fault.Block), Is.EqualTo((kernel, (LaunchIndex?)new LaunchIndex(0, 0, 0))));
                Assert.That(shuffles, Does.Contain(fault.SourceLine), fault.Message);
                Assert.That(fault.Detail, Does.Match($@"^A shuffle of lane {fault.Thread!.Value.X % 32} reads lane \d+, {tried.Why}: "));
                Assert.That(uses.Any(line => fault.Detail.EndsWith($" {tried.Use}, or what it has made of it, at shuffles.cu:{line}", StringComparison.Ordinal)), fault.Message);
            }
        }
    }

    private static readonly Dictionary<string, Func<int, byte[]>> Tiles = new()
    {
        ["tiles_of_int"] = BitConverter.GetBytes,
        ["tiles_of_double"] = x => BitConverter.GetBytes((double)x),
        ["tiles_of_half"] = x => BitConverter.GetBytes((Half)x),
        ["tiles_of_bf16"] = x => Single(x)[2..],
        ["tiles_of_half2"] = x => [.. BitConverter.GetBytes((Half)x), .. BitConverter.GetBytes((Half)(-x))],
    };

    private static IEnumerable<string> TileNames => Tiles.Keys;

    [Test]
    public void Tiles_of_cooperative_groups_throw_away_or_use_what_they_read_from_threads_that_returned([ValueSource(nameof(TileNames))] string kernel)
    {
        using EmulatorHarness tiles = EmulatorHarness.FromResource("tiles");
        ulong input = tiles.Upload(Enumerable.Range(0, 64).SelectMany(k => Tiles[kernel](Input(k))).ToArray());
        byte[][] sums = [.. Enumerable.Range(0, 8).Select(tile => Tiles[kernel](Enumerable.Range(tile * 8, 6).Sum(Input)))];
        ulong target = tiles.Reserve<byte>(8 * sums[0].Length);
        tiles.Launch(kernel, new(1), new(64), 0, input, target, 1);
        Assert.That(tiles.Download<byte>(target, 8 * sums[0].Length), Is.EqualTo(sums.SelectMany(sum => sum)));
        EmulationException fault = tiles.LaunchFault(kernel, new(1), new(64), 0, input, target, 0);
        Assert.That((fault.CallerFile, fault.CallerLine), Is.EqualTo(("tiles.cu", Array.FindIndex(EmulatorHarness.Source("tiles"), line => line.Contains($" {kernel}(", StringComparison.Ordinal)) + 1)), fault.Message);
        Assert.That(fault.Detail, Does.Match(@"^A shuffle of lane \d+ reads lane (6|7|14|15|22|23|30|31), which has ended: what it gets is undefined, and lane (0|8|16|24) stores it"));
    }

    [TestCase("mov.b32 %t, {%h, %g}; shfl.sync.idx.b32 %t, %t, 3, 31, 0xffff; cvt.u16.u32 %h, %t; cvt.u32.u16 %d, %h;", true)]
    [TestCase("mov.b32 %t, {%h, %g}; mov.u32 %u, %t; shfl.sync.bfly.b32 %u, %u, 1, 31, 0xffff; { .reg .b16 upper; mov.b32 {%h, upper}, %u; } cvt.u32.u16 %d, %h;", true)]
    [TestCase("mov.b32 %t, {%g, %h}; shfl.sync.idx.b32 %t, %t, 3, 31, 0xffff; cvt.u16.u32 %h, %t; cvt.u32.u16 %d, %h;", false)]
    [TestCase("mov.b32 %t, {%h, %g}; shfl.sync.idx.b32 %d, %t, 3, 31, 0xffff;", false)]
    [TestCase("mov.b32 %t, {%h, %g}; shfl.sync.idx.b32 %t, %t, 3, 31, 0xffff; cvt.u16.u32 %h, %t; shr.u32 %d, %t, 16;", false)]
    [TestCase("mov.b32 %t, {%h, %g}; shfl.sync.idx.b32 %t, %t, 3, 31, 0xffff; { .reg .b16 upper; mov.b32 {%h, upper}, %t; mov.u16 %h, upper; } cvt.u32.u16 %d, %h;", false)]
    public void Sixteen_bits_may_be_shuffled_beside_sixteen_that_nobody_has_written_and_nobody_reads(string body, bool isClean)
    {
        using EmulatorHarness test = OfHalfWarp($"cvt.u16.u32 %h, %v; {body} st.global.u32 [%a], %d;");
        ulong target = test.Upload(new long[32]);
        if (isClean)
            Assert.DoesNotThrow(() => test.Launch("test", new(1), new(32), 0, target));
        else
            Assert.That(test.LaunchFault("test", new(1), new(32), 0, target).Fault, Is.EqualTo(EmulationFault.Uninitialised));
    }

    [Test]
    public void A_group_of_coalesced_threads_reads_inside_itself()
    {
        using EmulatorHarness tiles = EmulatorHarness.FromResource("tiles");
        ulong target = tiles.Upload(new int[64]);
        tiles.Launch("coalesced", new(1), new(64), 0, tiles.Upload(Enumerable.Range(0, 64).Select(Input).ToArray()), target);
        int[] wanted = new int[64];
        foreach (int[] group in new[] { Enumerable.Range(0, 32), Enumerable.Range(32, 32) }.Select(warp => warp.Where(thread => thread % 3 == 0).ToArray()))
        {
            int[] sums = [.. group.Select(Input)];
            for (int offset = group.Length / 2; offset > 0; offset /= 2)
                sums = [.. sums.Select((sum, rank) => sum + sums[rank + offset < sums.Length ? rank + offset : rank])];
            for (int rank = 0; rank < group.Length; rank++)
                wanted[group[rank]] = sums[rank];
        }
        Assert.That(tiles.Download<int>(target, 64), Is.EqualTo(wanted));
    }

    [Test]
    public void What_is_printed_must_be_defined()
    {
        ulong input = harness.Upload(Enumerable.Range(0, 32).ToArray());
        Assert.That(harness.Launch("printed", new(1), new(32), 0, input, 1).Output, Is.EqualTo("2 and 5\n"));
        EmulationException fault = harness.LaunchFault("printed", new(1), new(32), 0, input, 0);
        Assert.That(fault.Detail, Does.StartWith($"A shuffle of lane 8 reads lane 11, {NotNamed}: ").And.EndsWith($"lane 8 prints it, or what it has made of it, at shuffles.cu:{EmulatorHarness.LinesThatEnd("shuffles", "LATE printed")[0]}"));
    }

    // A kernel of one warp of which the lower half takes part: %l is the lane, %v its value, lane + 100, %a where its result of 8 bytes goes; %u is read from 12
    // lanes further on, so that it is undefined in lanes 4 to 15, where %bad holds.
    private static EmulatorHarness OfHalfWarp(string body, string functions = "") => new($$"""
        .version 7.8
        .target sm_80
        .address_size 64
        {{functions}}
        .visible .entry test(.param .u64 target)
        {
        .local .align 16 .b8 own[64];
        .reg .pred %p, %q, %bad, %in;
        .reg .b16 %h, %g;
        .reg .b32 %l, %v, %u, %t, %w, %d;
        .reg .b64 %a, %x, %y;
        .reg .f32 %f;
        mov.u32 %l, %laneid;
        add.u32 %v, %l, 100;
        ld.param.u64 %a, [target];
        mad.wide.u32 %a, %l, 8, %a;
        setp.ge.u32 %p, %l, 16;
        @%p bra DONE;
        setp.ge.u32 %bad, %l, 4;
        shfl.sync.down.b32 %u|%in, %v, 12, 31, 0xffff;
        {{body}}
        DONE:
        ret;
        }
        """);

    // What of %d is lane + 100, to be stored.
    private const string Defined = "add.u32 %d, %d, 12; @%bad sub.u32 %d, %d, %l; @%bad sub.u32 %d, %d, 105; st.global.u32 [%a], %d;";

    private const string Keep = "selp.b32 %d, 7, %d, %bad; st.global.u32 [%a], %d;";

    // 64 bits as two halves, packed and unpacked, and a sum with a carry.
    [TestCase("mov.b64 %x, {%v, %u}; mov.b64 {%w, %d}, %x; " + Keep)]
    [TestCase("add.u32 %w, %l, 112; add.cc.u32 %t, %u, %v; addc.u32 %d, %w, 0; " + Keep)]
    // The defined half of a register whose other half is undefined.
    [TestCase("mov.b64 %x, {%u, %v}; mov.b64 {%t, %d}, %x; " + Defined)]
    [TestCase("mov.b64 %x, {%v, %u}; mov.b64 %y, %x; cvt.u32.u64 %d, %y; " + Defined)]
    [TestCase("mov.b64 %x, {%v, %v}; @%bad mov.b64 %x, {%v, %u}; cvt.u32.u64 %d, %x; " + Defined)]
    [TestCase("cvt.u16.u32 %h, %u; cvt.u16.u32 %g, %v; mov.b32 %t, {%g, %h}; neg.f16x2 %t, %t; neg.f16x2 %t, %t; mov.b32 {%g, %h}, %t; cvt.u32.u16 %d, %g; " + Defined)]
    [TestCase("cvt.u16.u32 %h, %u; cvt.u16.u32 %g, %v; mov.b32 %t, {%h, %g}; xor.b32 %t, %t, 0; { .reg .b16 lower; mov.b32 {lower, %g}, %t; } cvt.u32.u16 %d, %g; " + Defined)]
    // Two numbers of 16 bits, and conversions.
    [TestCase("mov.b32 {%h, %g}, %u; add.u16 %h, %h, %g; cvt.u32.u16 %d, %h; " + Keep)]
    [TestCase("cvt.rn.f32.u32 %f, %u; add.rn.f32 %f, %f, 0f00000000; cvt.rzi.u32.f32 %d, %f; " + Keep)]
    // Predicates that a defined one decides.
    [TestCase("setp.gt.u32 %q, %u, 113; not.pred %p, %bad; and.pred %q, %p, %q; selp.u32 %d, 1, 0, %q; st.global.u32 [%a], %d;", true)]
    [TestCase("setp.gt.u32 %q, %u, 0; or.pred %q, %bad, %q; selp.u32 %d, 7, 9, %q; @!%bad add.u32 %d, %l, 112; st.global.u32 [%a], %d;")]
    // A guarded instruction that leaves the lane as it was.
    [TestCase("mov.u32 %d, 7; @!%bad mov.u32 %d, %u; st.global.u32 [%a], %d;")]
    [TestCase("mov.u32 %d, %u; @%bad mov.u32 %d, 7; st.global.u32 [%a], %d;")]
    // The predicate of the shuffle is defined: the lane is in range.
    [TestCase("mov.u32 %d, %u; @%in mad.lo.u32 %d, 1, %l, 112; @%bad mov.u32 %d, 7; st.global.u32 [%a], %d;")]
    [TestCase("@%bad mov.u32 %d, 7; @%bad bra STORE; @%in mov.u32 %d, %u; STORE: st.global.u32 [%a], %d;")]
    // Local memory, by its own and by generic addresses, in whole and in part.
    [TestCase("st.local.u32 [own + 8], %u; ld.local.u32 %d, [own + 8]; " + Keep)]
    [TestCase("mov.u64 %x, own; cvta.local.u64 %x, %x; st.u32 [%x + 4], %u; st.local.u32 [own], %v; ld.local.v2.u32 {%w, %d}, [own]; " + Keep)]
    [TestCase("st.local.u32 [own], %u; @%bad st.local.u32 [own], 7; ld.local.u32 %d, [own]; st.global.u32 [%a], %d;")]
    [TestCase("st.local.u32 [own], %u; st.local.u8 [own], %v; ld.local.u8 %d, [own]; add.u32 %d, %d, 12; @%bad mov.u32 %d, 7; st.global.u32 [%a], %d;")]
    [TestCase("st.local.u64 [own], %a; st.local.u32 [own + 12], %u; ld.local.u64 %x, [own]; add.u32 %d, %l, 112; @%bad mov.u32 %d, 7; st.global.u32 [%x], %d;")]
    // Shuffled on among lanes that have it defined or throw it away.
    [TestCase("shfl.sync.idx.b32 %d, %u, 3, 31, 0xffff; sub.u32 %d, %d, 3; add.u32 %d, %d, %l; @%bad mov.u32 %d, 7; st.global.u32 [%a], %d;")]
    public void What_becomes_of_an_undefined_register_is_followed(string body, bool compares = false)
    {
        using EmulatorHarness test = OfHalfWarp(body);
        ulong target = test.Upload(new long[32]);
        test.Launch("test", new(1), new(32), 0, target);
        Assert.That(test.Download<long>(target, 16), Is.EqualTo(Enumerable.Range(0, 16).Select(lane => compares ? lane is 2 or 3 ? 1L : 0 : lane < 4 ? lane + 112L : 7)));
    }

    [TestCase("st.global.u32 [%a], %u;", "stores it")]
    [TestCase("st.local.u32 [own], %u; ld.local.u32 %d, [own]; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("st.local.u64 [own], 0; st.local.u32 [own + 4], %u; ld.local.u64 %x, [own]; st.global.u64 [%a], %x;", "stores it")]
    [TestCase("st.local.u32 [own], %u; st.local.u8 [own], %v; ld.local.u32 %d, [own]; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("mov.u64 %x, own; cvta.local.u64 %x, %x; st.u16 [%x + 2], %u; ld.u32 %d, [%x]; st.global.u32 [%a], %d;", "stores it", "st.local.u32 [own], %v;")]
    [TestCase("add.cc.u32 %t, %u, %v; addc.u32 %d, 0, 0; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("mov.b32 {%h, %g}, %u; mov.b32 %d, {%g, %g}; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("mov.b64 %x, {%v, %u}; mov.b64 {%w, %d}, %x; st.global.v2.u32 [%a], {%w, %d};", "stores it")]
    [TestCase("mov.b64 %x, {%v, %u}; st.global.u64 [%a], %x;", "stores it")]
    [TestCase("mov.b64 %x, {%u, %v}; cvt.u32.u64 %d, %x; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("mov.b64 %x, {%v, %u}; mul.lo.u64 %x, %x, 3; cvt.u32.u64 %d, %x; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("mov.b64 %x, {%v, %u}; mov.u64 %x, %a; mov.b64 %y, {%u, %v}; xor.b64 %x, %x, %y; cvt.u32.u64 %d, %x; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("cvt.u16.u32 %h, %u; mov.b32 %t, {%h, %g}; neg.f16x2 %t, %t; mov.b32 {%h, %g}, %t; cvt.u32.u16 %d, %h; st.global.u32 [%a], %d;", "stores it", "cvt.u16.u32 %g, %v;")]
    [TestCase("selp.b32 %d, %u, %v, %bad; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("setp.gt.u32 %q, %u, 113; selp.b32 %d, 1, 2, %q; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("setp.gt.u32 %q, %u, 113; and.pred %q, %q, %bad; selp.b32 %d, 1, 2, %q; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("mul.lo.u32 %d, %u, %u; xor.b32 %d, %d, %u; st.global.u8 [%a], %d;", "stores it")]
    [TestCase("shfl.sync.bfly.b32 %d, %u, 15, 31, 0xffff; st.global.u32 [%a], %d;", "stores it")]
    [TestCase("setp.gt.u32 %q, %u, 113; @%q bra DONE; st.global.u32 [%a], 1;", "branches on it")]
    [TestCase("setp.gt.u32 %q, %u, 113; @%q st.global.u32 [%a], 1;", "guards an instruction with it")]
    [TestCase("setp.gt.u32 %q, %u, 113; mov.u32 %d, 1; @%q mov.u32 %d, 2;", "guards an instruction with it")]
    [TestCase("and.b32 %t, %u, 1; mul.wide.u32 %x, %t, 4; add.u64 %x, %x, %a; ld.global.u32 %d, [%x];", "takes it for an address")]
    [TestCase("and.b32 %t, %u, 1; cvt.u64.u32 %x, %t; add.u64 %x, %x, %a; st.global.u8 [%x], 3;", "takes it for an address")]
    [TestCase("setp.gt.u32 %q, %u, 113; vote.sync.any.pred %q, %q, 0xffff;", "gives it to other lanes")]
    [TestCase("redux.sync.add.u32 %d, %u, 0xffff;", "gives it to other lanes")]
    [TestCase("and.b32 %t, %u, 7; shfl.sync.idx.b32 %d, %v, %t, 31, 0xffff;", "uses it")]
    [TestCase("atom.global.add.u32 %d, [%a], %u;", "uses it")]
    public void A_use_of_an_undefined_register_is_told(string body, string use, string before = "")
    {
        using EmulatorHarness test = OfHalfWarp($"{before} {body}");
        EmulationException fault = test.LaunchFault("test", new(1), new(32), 0, test.Upload(new long[32]));
        Assert.That(fault.Detail, Does.Match($@"^A shuffle of lane (\d+) reads lane \d+, which its member mask 0x0000FFFF does not name: what it gets is undefined, and lane \d+ {use}, or what it has made of it, at PTX line \d+$"));
        Assert.That(fault.Instruction, Is.EqualTo("shfl.sync.down.b32 %u|%in, %v, 12, 31, 0xffff;"));
    }
}
