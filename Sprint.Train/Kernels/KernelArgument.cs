using System.Globalization;
using System.Text.RegularExpressions;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>One <c>--arg</c> of a launch.</summary>
/// <param name="Text">What the user wrote.</param>
internal abstract partial record KernelArgument(string Text)
{
    private protected const string Option = "--arg";

    private const string Grammar =
        "TYPE:VALUE (f32:1.5), TYPE[SHAPE]=zeros, ones, iota, normal, poison or a number (f32[4,128]=zeros), TYPE[SHAPE]@FILE#NAME or @FILE#NAME (bf16[64]@w.safetensors#bias), struct:{ARG,ARG,...} or bytes:HEX";

    internal const string TypeNames = "f64, f32, f16, bf16, i64, u64, i32, u32, i16, u16, i8, u8, bool";

    private static readonly Dictionary<string, SafetensorsDataType> Types =
        TypeNames.Split(", ").ToDictionary(static name => name, static name => Enum.Parse<SafetensorsDataType>(name, ignoreCase: true));

    /// <summary>Bytes that the argument takes among the parameters.</summary>
    internal abstract int Size { get; }

    /// <summary>What its place is a multiple of within a structure, in bytes.</summary>
    internal abstract int Alignment { get; }

    /// <summary>The type's name as a user writes it.</summary>
    internal static string NameOf(SafetensorsDataType type) => type.ToString().ToLowerInvariant();

    /// <summary>Reads an argument.</summary>
    /// <exception cref="SprintException">It is none; the sentence says what would be.</exception>
    internal static KernelArgument Parse(string text)
    {
        if (text.StartsWith("bytes:", StringComparison.Ordinal))
        {
            return new ScalarArgument(text, null, Hexadecimal(text));
        }

        if (StructureArgument.IsMeant(text))
        {
            return StructureArgument.Read(text);
        }

        if (Buffer().Match(text) is { Success: true } buffer)
        {
            SafetensorsDataType? type = buffer.Groups["type"].Success ? TypeOf(text, buffer.Groups["type"].Value) : null;
            int[]? shape = type is null ? null : Shape(text, buffer.Groups["shape"].Value, type.Value);
            return buffer.Groups["file"].Success
                ? new BufferArgument(text, type, shape, Stored(text, buffer.Groups["file"].Value))
                : RequireIota(new BufferArgument(text, type, shape, Filled(text, buffer.Groups["fill"].Value, type!.Value)));
        }

        return Scalar().Match(text) is { Success: true } scalar
            ? ReadScalar(text, TypeOf(text, scalar.Groups["type"].Value), scalar.Groups["value"].Value)
            : throw Refuse(text, $"is no argument: write {Grammar}");
    }

    /// <summary>Reads an argument, or gives null where the text is none.</summary>
    internal static KernelArgument? TryParse(string text)
    {
        try
        {
            return Parse(text);
        }
        catch (SprintException)
        {
            return null;
        }
    }

    private protected static SprintException Refuse(string text, string why) => new($"{Option} '{text}' {why}");

    private static SafetensorsDataType TypeOf(string text, string name) =>
        Types.TryGetValue(name, out SafetensorsDataType type) ? type : throw Refuse(text, $"has the type '{name}': the types are {TypeNames}");

    private static ScalarArgument ReadScalar(string text, SafetensorsDataType type, string value)
    {
        byte[] bytes = new byte[type.ElementSize()];
        if (!type.IsFloat())
        {
            SafetensorsElements.WriteInteger((UInt128)Integer(text, value, type), bytes);
            return new ScalarArgument(text, type, bytes);
        }

        double number = Number(text, value, type);
        SafetensorsElements.Write(type, number, bytes);
        double stored = SafetensorsElements.Read(type, bytes);
        if (double.IsFinite(number) && (double.IsInfinity(stored) || (stored == 0 && number != 0)))
        {
            throw Refuse(text, $"has the value '{value}': {Range(type)}");
        }

        return new ScalarArgument(text, type, bytes);
    }

    private static BufferContents Filled(string text, string fill, SafetensorsDataType type)
    {
        BufferContents contents = fill switch
        {
            "zeros" => Constant("0"),
            "ones" => Constant("1"),
            "iota" => new BufferContents(BufferFill.Iota),
            "normal" => new BufferContents(BufferFill.Normal),
            "poison" => new BufferContents(BufferFill.Poison),
            _ => fill.Length > 0 && (!char.IsAsciiLetter(fill[0]) || fill is "inf" or "nan" || (type == SafetensorsDataType.BOOL && fill is "true" or "false"))
                ? Constant(fill)
                : throw Refuse(text, $"is filled with '{fill}': write zeros, ones, iota, normal, poison or a number"),
        };
        return contents.Fill != BufferFill.Normal || type.IsFloat()
            ? contents
            : throw Refuse(text, $"asks for normal numbers in {NameOf(type)}: they need f64, f32, f16 or bf16");

        BufferContents Constant(string value) => new(BufferFill.Constant, ReadScalar(text, type, value).Bytes);
    }

    // Integers wrap around, and other floating-point types reach further than any buffer.
    private static BufferArgument RequireIota(BufferArgument argument) =>
        argument.Contents.Fill == BufferFill.Iota && argument.Type == SafetensorsDataType.F16 && argument.Count - 1 > (int)Half.MaxValue
            ? throw Refuse(argument.Text, $"counts up to {argument.Count - 1}: {Range(SafetensorsDataType.F16)}")
            : argument;

    // A path may hold a # as well as a name; the file's extension tells which is meant.
    private static BufferContents Stored(string text, string place)
    {
        const string Extension = ".safetensors#";
        int end = place.IndexOf(Extension, StringComparison.Ordinal);
        int hash = end < 0 ? place.LastIndexOf('#') : end + Extension.Length - 1;
        return hash > 0 && hash < place.Length - 1
            ? new BufferContents(BufferFill.Stored, null, place[..hash], place[(hash + 1)..])
            : throw Refuse(text, "names no tensor: write @FILE.safetensors#NAME");
    }

    private static int[] Shape(string text, string shape, SafetensorsDataType type)
    {
        string[] parts = shape.Split(',', StringSplitOptions.TrimEntries);
        var extents = new int[parts.Length];
        long bytes = type.ElementSize();
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out extents[i]) || extents[i] < 1)
            {
                throw Refuse(text, $"has the extent '{parts[i]}': each is a whole number from 1 to {int.MaxValue}, as in [4,128]");
            }

            bytes *= extents[i];
            if (bytes > Array.MaxLength)
            {
                throw Refuse(text, $"has more than the {Array.MaxLength} bytes that a buffer may have");
            }
        }

        return extents;
    }

    private static double Number(string text, string value, SafetensorsDataType type)
    {
        double? number = value switch
        {
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            "nan" => double.NaN,
            _ when value.Any(char.IsAsciiDigit) && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double parsed) => parsed,
            _ => throw Refuse(text, $"has the value '{value}', which is no number for {NameOf(type)}"),
        };

        // What is written in digits is infinite only because it is beyond every type.
        return double.IsInfinity(number.Value) && value is not ("inf" or "-inf") ? throw Refuse(text, $"has the value '{value}': {Range(type)}") : number.Value;
    }

    private static string Range(SafetensorsDataType type) => type switch
    {
        SafetensorsDataType.F64 => "f64 holds magnitudes from 4.9E-324 to 1.8E+308, 0, inf and nan",
        SafetensorsDataType.F32 => "f32 holds magnitudes from 1.4E-45 to 3.4E+38, 0, inf and nan",
        SafetensorsDataType.F16 => "f16 holds magnitudes from 6E-08 to 65504, 0, inf and nan",
        _ => "bf16 holds magnitudes from 9.2E-41 to 3.39E+38, 0, inf and nan",
    };

    private static Int128 Integer(string text, string value, SafetensorsDataType type)
    {
        if (type == SafetensorsDataType.BOOL && value is "true" or "false")
        {
            return value == "true" ? 1 : 0;
        }

        bool parsed = value.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? Int128.TryParse("0" + value[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out Int128 number) && value.Length > 2
            : Int128.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
        int bits = 8 * type.ElementSize();
        (Int128 low, Int128 high) = type == SafetensorsDataType.BOOL ? (0, 1)
            : type.ToString()[0] == 'U' ? (0, (Int128.One << bits) - 1)
            : (-(Int128.One << (bits - 1)), (Int128.One << (bits - 1)) - 1);
        return parsed && number >= low && number <= high
            ? number
            : throw Refuse(text, $"has the value '{value}': {NameOf(type)} holds whole numbers from {low} to {high}");
    }

    private static byte[] Hexadecimal(string text)
    {
        string digits = text["bytes:".Length..];
        try
        {
            return digits.Length > 0 ? Convert.FromHexString(digits) : throw Refuse(text, "has no bytes: write two hexadecimal digits for each");
        }
        catch (FormatException)
        {
            throw Refuse(text, "is not hexadecimal: write two digits for each byte, lowest address first");
        }
    }

    [GeneratedRegex(@"^(?:(?<type>\w+)\[(?<shape>[^\]]*)\])?(?:(?<=\])=(?<fill>.*)|@(?<file>.*))$", RegexOptions.Singleline)]
    private static partial Regex Buffer();

    [GeneratedRegex(@"^(?<type>\w+):(?<value>.*)$", RegexOptions.Singleline)]
    private static partial Regex Scalar();
}

/// <summary>A parameter by value.</summary>
/// <param name="Text">What the user wrote.</param>
/// <param name="Type">Its type; null for bytes as they are, such as a structure.</param>
/// <param name="Bytes">Its bytes.</param>
internal sealed record ScalarArgument(string Text, SafetensorsDataType? Type, byte[] Bytes) : KernelArgument(Text)
{
    internal override int Size => Bytes.Length;

    internal override int Alignment => Type?.ElementSize() ?? 1;
}

/// <summary>A pointer to device memory.</summary>
/// <param name="Text">What the user wrote.</param>
/// <param name="Type">The element type; null for that of the stored tensor.</param>
/// <param name="Shape">The shape; null for that of the stored tensor.</param>
/// <param name="Contents">What it holds before the launch.</param>
internal sealed record BufferArgument(string Text, SafetensorsDataType? Type, int[]? Shape, BufferContents Contents) : KernelArgument(Text)
{
    internal override int Size => sizeof(ulong);

    internal override int Alignment => sizeof(ulong);

    /// <summary>Elements; the shape must be known.</summary>
    internal int Count => Shape!.Aggregate(1, static (product, extent) => product * extent);
}

/// <summary>What a buffer holds before the launch.</summary>
internal enum BufferFill
{
    /// <summary>One number everywhere.</summary>
    Constant,

    /// <summary>0, 1, 2, ...</summary>
    Iota,

    /// <summary>Standard normal numbers.</summary>
    Normal,

    /// <summary>Nothing: what the kernel does not write was never written.</summary>
    Poison,

    /// <summary>A tensor of a file.</summary>
    Stored,
}

/// <summary>What a buffer holds before the launch.</summary>
/// <param name="Fill">How it is filled.</param>
/// <param name="Element">The bytes of the constant.</param>
/// <param name="File">The safetensors file.</param>
/// <param name="Tensor">The tensor in it.</param>
internal sealed record BufferContents(BufferFill Fill, byte[]? Element = null, string File = "", string Tensor = "");
