using System.Globalization;
using System.Text.RegularExpressions;
using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>A parameter's C++ type, as far as an argument can be held against it.</summary>
/// <param name="Text">The type as C++ writes it: const float4*.</param>
/// <param name="IsPointer">Whether it is a pointer to objects.</param>
/// <param name="Element">The type of the number, or of the numbers that a pointer leads to; null for what may hold anything: void, structures, names not known.</param>
/// <param name="Lanes">How many of them one object has: 4 of float4.</param>
internal sealed partial record ParameterType(string Text, bool IsPointer, SafetensorsDataType? Element, int Lanes)
{
    private static readonly Dictionary<string, SafetensorsDataType> Scalars = new()
    {
        ["bool"] = SafetensorsDataType.BOOL,
        ["char"] = SafetensorsDataType.I8,
        ["signed char"] = SafetensorsDataType.I8,
        ["unsigned char"] = SafetensorsDataType.U8,
        ["short"] = SafetensorsDataType.I16,
        ["unsigned short"] = SafetensorsDataType.U16,
        ["int"] = SafetensorsDataType.I32,
        ["unsigned int"] = SafetensorsDataType.U32,
        ["long"] = OperatingSystem.IsWindows() ? SafetensorsDataType.I32 : SafetensorsDataType.I64,
        ["unsigned long"] = OperatingSystem.IsWindows() ? SafetensorsDataType.U32 : SafetensorsDataType.U64,
        ["long long"] = SafetensorsDataType.I64,
        ["unsigned long long"] = SafetensorsDataType.U64,
        ["float"] = SafetensorsDataType.F32,
        ["double"] = SafetensorsDataType.F64,
        ["__half"] = SafetensorsDataType.F16,
        ["__nv_bfloat16"] = SafetensorsDataType.BF16,
    };

    /// <summary>Reads a type as <see cref="Engine.Cuda.KernelName.ParameterTypes"/> has it.</summary>
    internal static ParameterType Parse(string text)
    {
        string type = TopQualifier().Replace(text, "");
        if (PointerToArray().Match(type) is { Success: true } array)
        {
            (SafetensorsDataType? element, int lanes) = Numbers(array.Groups["element"].Value);
            int count = array.Groups["extent"].Captures.Aggregate(1, static (product, extent) => product * int.Parse(extent.Value, CultureInfo.InvariantCulture));
            return new ParameterType(text, true, element, lanes * count);
        }

        if (!type.EndsWith('*'))
        {
            (SafetensorsDataType? number, int width) = Numbers(type);
            return new ParameterType(text, false, width == 1 ? number : null, 1);
        }

        // What a pointer to pointers leads to are addresses.
        string target = TopQualifier().Replace(type[..^1], "");
        (SafetensorsDataType? pointed, int vector) = target.EndsWith('*') ? (SafetensorsDataType.U64, 1) : Numbers(target);
        return new ParameterType(text, true, pointed, vector);
    }

    /// <summary>
    /// Whether elements of a type may stand for the type's own: those themselves; integers of either sign for integers of their size; and the bits of 16-bit floats
    /// for 16-bit integers, as code without the toolkit's headers has them.
    /// </summary>
    internal bool Takes(SafetensorsDataType given) =>
        Element is not { } own
        || given == own
        || (own != SafetensorsDataType.BOOL && own.IsInteger() && given.ElementSize() == own.ElementSize() && (given.IsInteger() || given.ElementSize() == 2));

    private static (SafetensorsDataType? Element, int Lanes) Numbers(string type)
    {
        string plain = Qualifier().Replace(type, "").Trim();
        if (Scalars.TryGetValue(plain, out SafetensorsDataType scalar))
        {
            return (scalar, 1);
        }

        return plain switch
        {
            "__half2" => (SafetensorsDataType.F16, 2),
            "__nv_bfloat162" => (SafetensorsDataType.BF16, 2),
            _ when Vector().Match(plain) is { Success: true } vector => (Scalars[ScalarOf(vector.Groups["name"].Value)], vector.Groups["lanes"].Value[0] - '0'),
            _ => (null, 1),
        };
    }

    /// <summary>CUDA's vectors: ulonglong2 is of unsigned long long.</summary>
    private static string ScalarOf(string vector) => vector switch
    {
        "uchar" => "unsigned char",
        "ushort" => "unsigned short",
        "uint" => "unsigned int",
        "ulong" => "unsigned long",
        "longlong" => "long long",
        "ulonglong" => "unsigned long long",
        _ => vector,
    };

    [GeneratedRegex(@"^(?<element>[\w\s]+?) ?\(\*\)(\[(?<extent>\d{1,6})\])+$")]
    private static partial Regex PointerToArray();

    [GeneratedRegex(@"^(?<name>u?(char|short|int|long|longlong)|float|double)(?<lanes>[1-4])$")]
    private static partial Regex Vector();

    [GeneratedRegex(@"(?<=\*)\s*(const|volatile|__restrict__)+$")]
    private static partial Regex TopQualifier();

    [GeneratedRegex(@"\b(const|volatile)\b")]
    private static partial Regex Qualifier();
}
