using System.Text;
using System.Text.RegularExpressions;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Damages PTX text: bytes, lines, types, numbers, registers, labels, opcodes.</summary>
internal static partial class PtxMutation
{
    private static readonly string[] Types = ["pred", "b8", "b16", "b32", "b64", "b128", "u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f16", "f16x2", "bf16", "bf16x2", "tf32", "f32", "f64"];

    private static readonly string[] Numbers = ["0", "-1", "255", "65536", "2147483647", "4294967295", "18446744073709551615", "99999999999999999999", "0x7FFFFFFFFFFFFFFF", "0f7FC00000", "0d7FF0000000000000", "1e400"];

    private static readonly string[] Operations =
    [
        "add", "mul", "div", "rem", "abs", "neg", "min", "mad", "sad", "mul24", "bfe", "bfi", "popc", "brev", "shl", "shr", "lop3", "prmt", "shf", "setp", "selp", "slct", "set", "testp", "mov", "cvt", "cvta", "isspacep",
        "ld", "st", "atom", "red", "bra", "brx", "call", "ret", "exit", "bar", "barrier", "membar", "shfl", "vote", "match", "redux", "activemask", "mma", "ldmatrix", "wmma", "cp", "rcp", "sqrt", "sin", "tanh", "copysign", "dp4a", "nanosleep",
    ];

    /// <summary>The text with a few changes drawn from <paramref name="random"/>.</summary>
    public static string Apply(string ptx, Random random)
    {
        if (random.Next(10) == 0)
            return ptx[..random.Next(ptx.Length)];
        List<string> lines = [.. ptx.Split('\n')];
        for (int changes = random.Next(1, 12); changes > 0; changes--)
            Change(lines, random);
        return string.Join('\n', lines);
    }

    private static void Change(List<string> lines, Random random)
    {
        int at = random.Next(lines.Count);
        string line = lines[at];
        switch (random.Next(9))
        {
            case 0:
                lines.RemoveAt(at);
                break;
            case 1:
                lines.Insert(at, lines[random.Next(lines.Count)]);
                break;
            case 2:
                StringBuilder flipped = new(line);
                if (flipped.Length > 0)
                    flipped[random.Next(flipped.Length)] ^= (char)(1 << random.Next(7));
                lines[at] = flipped.ToString();
                break;
            case 3:
                lines[at] = One(TypeName(), line, random, _ => "." + Types[random.Next(Types.Length)]);
                break;
            case 4:
                lines[at] = One(Number(), line, random, _ => Numbers[random.Next(Numbers.Length)]);
                break;
            case 5:
                lines[at] = One(Register(), line, random, _ => Register().Matches(lines[random.Next(lines.Count)]).FirstOrDefault()?.Value ?? "%r1");
                break;
            case 6:
                lines[at] = One(Opcode(), line, random, _ => Operations[random.Next(Operations.Length)]);
                break;
            case 7:
                lines[at] = line.Replace(", ", random.Next(2) == 0 ? ", _, " : " | ", StringComparison.Ordinal);
                break;
            default:
                int comma = line.LastIndexOf(',');
                lines[at] = comma > 0 ? line[..comma] + ";" : line + line;
                break;
        }
    }

    private static string One(Regex pattern, string line, Random random, MatchEvaluator change)
    {
        MatchCollection matches = pattern.Matches(line);
        if (matches.Count == 0)
            return line;
        Match match = matches[random.Next(matches.Count)];
        return string.Concat(line.AsSpan(0, match.Index), change(match), line.AsSpan(match.Index + match.Length));
    }

    [GeneratedRegex(@"\.(pred|b8|b16|b32|b64|u8|s8|u16|s16|u32|s32|u64|s64|f16|f16x2|bf16|bf16x2|tf32|f32|f64)\b")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"(?<![\w%$.])\d\w*")]
    private static partial Regex Number();

    [GeneratedRegex(@"%[a-z]+\d+")]
    private static partial Regex Register();

    [GeneratedRegex(@"(?<=^\s*(@!?%p\d+ )?)[a-z]\w*")]
    private static partial Regex Opcode();
}
