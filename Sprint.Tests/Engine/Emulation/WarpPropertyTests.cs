using FsCheck;
using NUnit.Framework;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Shuffles, votes, matches and warp reductions with random member masks, against loops over the lanes (PTX ISA, shfl.sync, vote.sync, match.sync, redux.sync).</summary>
public sealed class WarpPropertyTests
{
    private const int Warps = 6;

    /// <summary>Runs a body in the lanes of a mask only; other lanes give 0. The function has a warp's operands and a lane.</summary>
    private static void Check(string body, uint mask, uint[][] operands, Func<uint[][], int, uint> expected)
    {
        string guarded = $"mov.u32 %n, %laneid; mov.u32 %t, {mask}; shr.u32 %t, %t, %n; and.b32 %t, %t, 1; mov.u32 %d, 0; setp.eq.u32 %q, %t, 0; @%q bra SKIP;\n{body}\nSKIP:";
        uint[] found = Conformance.Run<uint>(guarded, operands);
        for (int k = 0; k < found.Length; k++)
        {
            int first = k & ~31, lane = k & 31;
            uint wanted = (mask >> lane & 1) == 0 ? 0 : expected([.. operands.Select(operand => operand[first..(first + 32)])], lane);
            if (found[k] != wanted)
                Assert.Fail($"{body} under mask 0x{mask:X8}: lane {lane} of {string.Join(" and ", operands.Select(operand => "[" + string.Join(" ", operand[first..(first + 32)].Select(x => x.ToString("X"))) + "]"))} gives 0x{found[k]:X8}, expected 0x{wanted:X8}.");
        }
    }

    private static uint Mask(Random random) => random.Next(4) switch
    {
        0 => uint.MaxValue,
        1 => 1u << random.Next(32),
        _ => (uint)random.NextInt64(1, 1L << 32),
    };

    private static uint[] Values(Random random, Func<uint> next) => [.. Enumerable.Range(0, 32 * Warps).Select(_ => next())];

    private static bool Member(uint mask, int lane) => (mask >> lane & 1) != 0;

    private static IEnumerable<int> Members(uint mask) => Enumerable.Range(0, 32).Where(lane => Member(mask, lane));

    // The lane that is read and whether it lies in range, after the ISA's definition.
    private static (int Lane, bool InRange) Source(string mode, int lane, uint b, uint c)
    {
        int distance = (int)(b & 31), clamp = (int)(c & 31), segment = (int)(c >> 8 & 31);
        int least = lane & segment, most = lane & segment | clamp & ~segment;
        int source = mode switch
        {
            "up" => lane - distance,
            "down" => lane + distance,
            "bfly" => lane ^ distance,
            _ => least | distance & ~segment,
        };
        bool inRange = mode == "up" ? source >= most : source <= most;
        return (inRange ? source : lane, inRange);
    }

    [FsCheck.NUnit.Property(MaxTest = 12, Replay = "1129,7")]
    public void Shuffles_read_the_lane_of_their_mode_segment_and_clamp(DoNotSize<int> seed)
    {
        Random random = new(seed.Item);
        foreach (string mode in new[] { "up", "down", "bfly", "idx" })
        {
            uint mask = Mask(random);
            // Half of the segments are those of a width, the others any bits.
            uint segment = random.Next(2) == 0 ? (uint)(32 - (1 << random.Next(6))) : (uint)random.Next(32);
            uint c = segment << 8 | (random.Next(2) == 0 ? mode == "up" ? 0 : 31u : (uint)random.Next(32));
            uint[] a = Values(random, () => (uint)InstructionForm.Draw(random, 32));
            // Reading a lane outside the mask is undefined: then the distance is drawn again, which ends, since a lane reads itself by some.
            uint[] b = [.. a.Select((_, k) =>
            {
                for (int attempt = 0; attempt < 1000; attempt++)
                {
                    uint distance = (uint)random.Next(64);
                    if (Member(mask, Source(mode, k & 31, distance, c).Lane))
                        return distance;
                }
                return mode == "idx" ? (uint)(k & 31) : 0u;
            })];
            if (!Members(mask).All(lane => Enumerable.Range(0, Warps).All(warp => Member(mask, Source(mode, lane, b[warp * 32 + lane], c).Lane))))
                continue;
            Check($"shfl.sync.{mode}.b32 %d|%p, %a0, %a1, {c}, {mask}; selp.u32 %t, 1, 0, %p; shl.b32 %d, %d, 1; or.b32 %d, %d, %t;", mask, [a, b], (warp, lane) =>
            {
                (int source, bool inRange) = Source(mode, lane, warp[1][lane], c);
                return warp[0][source] << 1 | (inRange ? 1u : 0);
            });
        }
    }

    [FsCheck.NUnit.Property(MaxTest = 12, Replay = "1129,7")]
    public void Votes_and_matches_are_what_a_loop_over_the_members_finds(DoNotSize<int> seed)
    {
        Random random = new(seed.Item);
        uint mask = Mask(random);
        int rarity = random.Next(1, 40);
        uint[] bits = Values(random, () => random.Next(rarity) == 0 ? 1u : 0);
        if (random.Next(2) == 0)
            bits = [.. bits.Select(bit => bit ^ 1)];
        const string predicate = "setp.ne.u32 %p, %a0, 0;";
        const string result = "selp.u32 %d, 1, 0, %q;";
        Check($"{predicate} vote.sync.ballot.b32 %d, %p, {mask};", mask, [bits], (warp, _) => Members(mask).Aggregate(0u, (sum, lane) => sum | warp[0][lane] << lane));
        Check($"{predicate} vote.sync.all.pred %q, %p, {mask}; {result}", mask, [bits], (warp, _) => Members(mask).All(lane => warp[0][lane] != 0) ? 1u : 0);
        Check($"{predicate} vote.sync.any.pred %q, %p, {mask}; {result}", mask, [bits], (warp, _) => Members(mask).Any(lane => warp[0][lane] != 0) ? 1u : 0);
        Check($"{predicate} vote.sync.uni.pred %q, %p, {mask}; {result}", mask, [bits], (warp, _) => Members(mask).Select(lane => warp[0][lane]).Distinct().Count() == 1 ? 1u : 0);
        Check($"{predicate} vote.sync.any.pred %q, !%p, {mask}; {result}", mask, [bits], (warp, _) => Members(mask).Any(lane => warp[0][lane] == 0) ? 1u : 0);

        int kinds = random.Next(1, 5);
        uint[] low = Values(random, () => (uint)random.Next(kinds)), high = Values(random, () => (uint)random.Next(kinds));
        uint Equals(Func<int, bool> equal) => Members(mask).Aggregate(0u, (sum, lane) => sum | (equal(lane) ? 1u << lane : 0));
        Check($"match.any.sync.b32 %d, %a0, {mask};", mask, [low], (warp, lane) => Equals(other => warp[0][other] == warp[0][lane]));
        Check($"mov.b64 %x, {{%a0, %a1}}; match.any.sync.b64 %d, %x, {mask};", mask, [low, high], (warp, lane) => Equals(other => warp[0][other] == warp[0][lane] && warp[1][other] == warp[1][lane]));
        bool All(uint[][] warp, int count) => Members(mask).Select(lane => (warp[0][lane], count > 1 ? warp[1][lane] : 0)).Distinct().Count() == 1;
        Check($"match.all.sync.b32 %d|%q, %a0, {mask}; selp.u32 %t, 5, 0, %q; xor.b32 %d, %d, %t;", mask, [low], (warp, _) => All(warp, 1) ? mask ^ 5 : 0);
        Check($"mov.b64 %x, {{%a0, %a1}}; match.all.sync.b64 %d|%q, %x, {mask}; selp.u32 %t, 5, 0, %q; xor.b32 %d, %d, %t;", mask, [low, high], (warp, _) => All(warp, 2) ? mask ^ 5 : 0);
    }

    [FsCheck.NUnit.Property(MaxTest = 12, Replay = "1129,7")]
    public void Warp_reductions_are_sums_and_extremes_of_the_members(DoNotSize<int> seed)
    {
        Random random = new(seed.Item);
        uint mask = Mask(random);
        uint[] a = Values(random, () => (uint)InstructionForm.Draw(random, 32));
        foreach ((string name, Func<uint, uint, uint> step) in new (string, Func<uint, uint, uint>)[]
        {
            ("add.u32", (x, y) => x + y), ("add.s32", (x, y) => x + y), ("min.u32", Math.Min), ("max.u32", Math.Max),
            ("min.s32", (x, y) => (uint)Math.Min((int)x, (int)y)), ("max.s32", (x, y) => (uint)Math.Max((int)x, (int)y)),
            ("and.b32", (x, y) => x & y), ("or.b32", (x, y) => x | y), ("xor.b32", (x, y) => x ^ y),
        })
            Check($"redux.sync.{name} %d, %a0, {mask};", mask, [a], (warp, _) => Members(mask).Select(lane => warp[0][lane]).Aggregate(step));
        Check("activemask.b32 %d;", mask, [a], (_, _) => mask);
    }
}
