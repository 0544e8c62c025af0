using System.Globalization;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>
/// One conversion of <c>printf</c>: flags, width, precision, size and type as in CUDA C++ Programming Guide, "Formatted Output", which are those
/// of C; a width or precision of <c>*</c> is an argument before the one that is converted.
/// </summary>
internal struct PrintSpecifier
{
    private const int Longest = 1024;

    private bool left;
    private bool plus;
    private bool space;
    private bool alternate;
    private bool zeros;
    private int width;
    private int precision;
    private string size;

    /// <summary>The letter of the type, or %; 0 if the text ends before it.</summary>
    public char Conversion { get; private set; }

    /// <summary>Bytes of the argument, 4 or 8.</summary>
    public readonly int Bytes => "fFeEgGaAsp".Contains(Conversion) || size is "l" or "ll" or "z" or "j" or "t" ? 8 : 4;

    /// <summary>Reads a specifier behind its %, and leaves the position at its last letter.</summary>
    public static PrintSpecifier Parse(string format, ref int at, Func<int> nextArgument, ref int arguments)
    {
        PrintSpecifier result = new() { precision = -1, size = string.Empty };
        for (; at < format.Length && format[at] is '-' or '+' or ' ' or '#' or '0'; at++)
        {
            result.left |= format[at] == '-';
            result.plus |= format[at] == '+';
            result.space |= format[at] == ' ';
            result.alternate |= format[at] == '#';
            result.zeros |= format[at] == '0';
        }
        result.width = Number(format, ref at, nextArgument, ref arguments);
        if (result.width < 0)
        {
            result.left = true;
            result.width = -result.width;
        }
        if (at < format.Length && format[at] == '.')
        {
            at++;
            result.precision = Math.Max(Number(format, ref at, nextArgument, ref arguments), -1);
        }
        int start = at;
        while (at < format.Length && format[at] is 'h' or 'l' or 'z' or 'j' or 't')
            at++;
        result.size = format[start..at];
        result.Conversion = at < format.Length ? format[at] : '\0';
        return result;
    }

    /// <summary>The text of a number, a character or a pointer.</summary>
    public readonly string Render(ulong value)
    {
        switch (Conversion)
        {
            case 'd' or 'i':
                long number = size switch { "hh" => (sbyte)value, "h" => (short)value, "" => (int)value, _ => (long)value };
                return Pad(Sign(number < 0), Digits((number < 0 ? 0 - (ulong)number : (ulong)number).ToString(CultureInfo.InvariantCulture)), precision < 0);
            case 'u' or 'x' or 'X' or 'o':
                ulong bits = size switch { "hh" => (byte)value, "h" => (ushort)value, "" => (uint)value, _ => value };
                string prefix = alternate && bits != 0 && Conversion is 'x' or 'X' ? "0" + Conversion : string.Empty;
                return Pad(prefix, Digits(Unsigned(bits)), precision < 0);
            case 'c':
                return Pad(string.Empty, ((char)(byte)value).ToString(), false);
            case 'p':
                return value == 0 ? Pad(string.Empty, "(nil)", false) : Pad(Sign(false) + "0x", Digits(value.ToString("x", CultureInfo.InvariantCulture)), precision < 0);
            case 'f' or 'F' or 'e' or 'E' or 'g' or 'G' or 'a' or 'A':
                return RenderReal(BitConverter.UInt64BitsToDouble(value));
            default:
                return $"%{Conversion}";
        }
    }

    /// <summary>A text, cut to the precision.</summary>
    public readonly string Render(string text) => Pad(string.Empty, precision >= 0 && precision < text.Length ? text[..precision] : text, false);

    private static int Number(string format, ref int at, Func<int> nextArgument, ref int arguments)
    {
        if (at < format.Length && format[at] == '*')
        {
            at++;
            arguments++;
            return Math.Clamp(nextArgument(), -Longest, Longest);
        }
        int number = 0;
        for (; at < format.Length && char.IsAsciiDigit(format[at]); at++)
            number = Math.Min(number * 10 + format[at] - '0', Longest);
        return number;
    }

    private readonly string Unsigned(ulong bits) => Conversion switch
    {
        'x' => bits.ToString("x", CultureInfo.InvariantCulture),
        'X' => bits.ToString("X", CultureInfo.InvariantCulture),
        'o' => (alternate && bits != 0 ? "0" : string.Empty) + System.Convert.ToString((long)bits, 8),
        _ => bits.ToString(CultureInfo.InvariantCulture),
    };

    private readonly string Sign(bool negative) => negative ? "-" : plus ? "+" : space ? " " : string.Empty;

    private readonly string Digits(string digits) => precision == 0 && digits == "0" && !(alternate && Conversion == 'o') ? string.Empty : digits.PadLeft(Math.Max(precision, 0), '0');

    private readonly string RenderReal(double value)
    {
        bool upper = char.IsUpper(Conversion);
        string sign = Sign(double.IsNegative(value));
        if (double.IsNaN(value))
            return Pad(sign, upper ? "NAN" : "nan", false);
        double size = Math.Abs(value);
        if (double.IsInfinity(value))
            return Pad(sign, upper ? "INF" : "inf", false);
        if (Conversion is 'a' or 'A')
            return Pad(sign + (upper ? "0X" : "0x"), Hexadecimal(size, upper), true);
        int digits = precision < 0 ? 6 : precision;
        string text = char.ToLowerInvariant(Conversion) switch
        {
            'f' => WithPoint(size.ToString($"F{digits}", CultureInfo.InvariantCulture)),
            'e' => WithPoint(Exponential(size, digits)),
            _ => General(size, Math.Max(digits, 1)),
        };
        return Pad(sign, upper ? text.ToUpperInvariant() : text, true);
    }

    // The alternate form always has a point, behind the only digit if need be.
    private readonly string WithPoint(string text)
    {
        if (!alternate || text.Contains('.'))
            return text;
        int end = text.IndexOf('e');
        return text.Insert(end < 0 ? text.Length : end, ".");
    }

    // C writes at least two digits of the exponent, .NET three.
    private static string Exponential(double value, int digits)
    {
        string text = value.ToString($"e{digits}", CultureInfo.InvariantCulture);
        return text[^3] == '0' ? text[..^3] + text[^2..] : text;
    }

    private readonly string General(double value, int digits)
    {
        string text = Exponential(value, digits - 1);
        int split = text.IndexOf('e');
        int exponent = int.Parse(text.AsSpan(split + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = text[..split], tail = text[split..];
        if (exponent >= -4 && exponent < digits)
            (mantissa, tail) = (value.ToString($"F{digits - 1 - exponent}", CultureInfo.InvariantCulture), string.Empty);
        if (!alternate && mantissa.Contains('.'))
            mantissa = mantissa.TrimEnd('0').TrimEnd('.');
        return WithPoint(mantissa + tail);
    }

    private readonly string Hexadecimal(double value, bool upper)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        int exponent = (int)(bits >> 52);
        ulong fraction = bits & (1ul << 52) - 1 | (exponent > 0 ? 1ul << 52 : 0);
        int digits = precision < 0 ? 13 : Math.Min(precision, 13);
        int dropped = (13 - digits) * 4;
        if (dropped > 0)
        {
            // To the nearest, ties to even.
            ulong half = 1ul << dropped - 1, rest = fraction & (1ul << dropped) - 1;
            fraction >>= dropped;
            fraction += rest > half || (rest == half && (fraction & 1) != 0) ? 1u : 0u;
            fraction <<= dropped;
        }
        string tail = (fraction & (1ul << 52) - 1).ToString("x13", CultureInfo.InvariantCulture)[..digits];
        tail = precision < 0 ? tail.TrimEnd('0') : tail.PadRight(precision, '0');
        int power = value == 0 ? 0 : Math.Max(exponent, 1) - 1023;
        string text = $"{fraction >> 52}{(tail.Length > 0 || alternate ? "." : string.Empty)}{tail}p{(power < 0 ? "-" : "+")}{Math.Abs(power)}";
        return upper ? text.ToUpperInvariant() : text;
    }

    private readonly string Pad(string sign, string text, bool mayHaveZeros)
    {
        if (left)
            return (sign + text).PadRight(width);
        return zeros && mayHaveZeros ? sign + text.PadLeft(Math.Max(width - sign.Length, 0), '0') : (sign + text).PadLeft(width);
    }
}
