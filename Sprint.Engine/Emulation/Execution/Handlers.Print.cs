using System.Globalization;
using System.Numerics;
using System.Text;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Device functions that the runtime provides: printf and assert. List holds slot and size of every parameter.</summary>
internal static unsafe partial class Handlers
{
    private const int MaximumText = 4096;
    private const int MaximumOutput = 1 << 20;

    /// <summary><c>vprintf(format, arguments)</c>.</summary>
    public static Instruction* Print(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            string format = ReadText(warp, i, lane, *(ulong*)(r + i->List[0] + lane * i->List[1]));
            ulong arguments = *(ulong*)(r + i->List[2] + lane * i->List[3]);
            StringBuilder output = warp.Block.Output;
            int length = Format(warp, i, lane, format, arguments, output);
            if (output.Length > MaximumOutput)
                output.Length = MaximumOutput;
            if (i->Count > 2)
                *(int*)(r + i->List[4] + lane * i->List[5]) = length;
        }
        return i + 1;
    }

    /// <summary><c>__assertfail(message, file, line, function, character size)</c>.</summary>
    public static Instruction* FailAssertion(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        int lane = Warp.LowestLane(warp.Active);
        string message = ReadText(warp, i, lane, *(ulong*)(r + i->List[0] + lane * i->List[1]));
        string file = ReadText(warp, i, lane, *(ulong*)(r + i->List[2] + lane * i->List[3]));
        uint line = *(uint*)(r + i->List[4] + lane * i->List[5]);
        throw warp.Fault(i, lane, EmulationFault.Assertion, $"The assertion \"{message}\" of {file}:{line} failed");
    }

    private static string ReadText(Warp warp, Instruction* i, int lane, ulong address)
    {
        StringBuilder text = new();
        while (text.Length < MaximumText)
        {
            byte character = (byte)ReadBytes(warp, i, lane, address++, 1);
            if (character == 0)
                break;
            text.Append((char)character);
        }
        return text.ToString();
    }

    private static ulong ReadBytes(Warp warp, Instruction* i, int lane, ulong address, int bytes)
    {
        warp.Addresses[lane] = address;
        GenericSpace.Scatter(warp, i, 1u << lane, bytes, AccessKind.Load);
        byte* host = warp.Host[lane];
        return bytes switch { 1 => *host, 4 => *(uint*)host, _ => *(ulong*)host };
    }

    private static int Format(Warp warp, Instruction* i, int lane, string format, ulong arguments, StringBuilder output)
    {
        int count = 0;
        for (int k = 0; k < format.Length; k++)
        {
            if (format[k] != '%')
            {
                output.Append(format[k]);
                continue;
            }
            int start = k++;
            while (k < format.Length && !char.IsAsciiLetter(format[k]) && format[k] != '%')
                k++;
            bool wide = false;
            while (k < format.Length && format[k] is 'l' or 'h' or 'z' or 'j')
                wide |= format[k++] is 'l' or 'z' or 'j';
            if (k >= format.Length)
                break;
            char conversion = format[k];
            if (conversion == '%')
            {
                output.Append('%');
                continue;
            }
            wide |= conversion is 'f' or 'F' or 'e' or 'E' or 'g' or 'G' or 's' or 'p' or 'a';
            int size = wide ? 8 : 4;
            arguments = (arguments + (ulong)size - 1) & ~(ulong)(size - 1);
            ulong value = ReadBytes(warp, i, lane, arguments, size);
            arguments += (ulong)size;
            string flags = format[(start + 1)..k].TrimEnd('l', 'h', 'z', 'j');
            string text = conversion == 's' ? ReadText(warp, i, lane, value) : FormatValue(conversion, flags, value, wide);
            output.Append(Pad(text, flags));
            count++;
        }
        return count;
    }

    private static string FormatValue(char conversion, string flags, ulong value, bool wide)
    {
        int dot = flags.IndexOf('.');
        int precision = dot >= 0 && int.TryParse(flags.AsSpan(dot + 1), out int digits) ? Math.Min(digits, 60) : 6;
        double real = BitConverter.UInt64BitsToDouble(value);
        string sign = flags.Contains('+') && conversion is 'd' or 'i' or 'f' or 'e' or 'g' && (conversion is 'd' or 'i' ? (long)value >= 0 : real >= 0) ? "+" : "";
        return sign + conversion switch
        {
            'd' or 'i' => (wide ? (long)value : (int)value).ToString(CultureInfo.InvariantCulture),
            'u' => value.ToString(CultureInfo.InvariantCulture),
            'x' => value.ToString("x", CultureInfo.InvariantCulture),
            'X' => value.ToString("X", CultureInfo.InvariantCulture),
            'o' => System.Convert.ToString((long)value, 8),
            'p' => "0x" + value.ToString("x", CultureInfo.InvariantCulture),
            'c' => ((char)(byte)value).ToString(),
            'f' or 'F' => RealText(real, real.ToString($"F{precision}", CultureInfo.InvariantCulture)),
            'e' or 'E' => RealText(real, Exponent(real.ToString($"{conversion}{precision}", CultureInfo.InvariantCulture))),
            'g' or 'G' => RealText(real, General(real, Math.Max(precision, 1))),
            _ => $"%{conversion}",
        };
    }

    private static string RealText(double value, string text)
        => double.IsNaN(value) ? "nan" : double.IsInfinity(value) ? value > 0 ? "inf" : "-inf" : text;

    // C writes at least two digits of the exponent, .NET three.
    private static string Exponent(string text) => text.Length > 3 && text[^3] == '0' ? text[..^3] + text[^2..] : text;

    private static string General(double value, int precision)
    {
        int exponent = value == 0 ? 0 : (int)Math.Floor(Math.Log10(Math.Abs(value)));
        string text = exponent < -4 || exponent >= precision
            ? Exponent(value.ToString($"e{precision - 1}", CultureInfo.InvariantCulture))
            : value.ToString($"F{Math.Max(precision - 1 - exponent, 0)}", CultureInfo.InvariantCulture);
        int tail = text.IndexOf('e');
        string mantissa = tail < 0 ? text : text[..tail];
        if (mantissa.Contains('.'))
            mantissa = mantissa.TrimEnd('0').TrimEnd('.');
        return tail < 0 ? mantissa : mantissa + text[tail..];
    }

    private static string Pad(string text, string flags)
    {
        string digits = new([.. flags.TrimStart('-', '+', ' ', '0', '#').TakeWhile(char.IsAsciiDigit)]);
        if (!int.TryParse(digits, out int width) || width > 1024)
            return text;
        if (flags.Contains('-'))
            return text.PadRight(width);
        bool zeros = flags.TrimStart('+', ' ', '#').StartsWith('0');
        if (!zeros)
            return text.PadLeft(width);
        bool negative = text.StartsWith('-') || text.StartsWith('+');
        return negative ? text[0] + text[1..].PadLeft(width - 1, '0') : text.PadLeft(width, '0');
    }
}
