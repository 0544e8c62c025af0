using System.Text.RegularExpressions;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>
/// Whether arguments fit a kernel's parameters: their number, size and kind by what the image tells, and by their C++ types where the kernel's name tells those.
/// </summary>
internal sealed partial class ParameterMatch(KernelName kernel, IReadOnlyList<KernelParameter> parameters, string? declaration)
{
    private const int PointerBytes = 8;
    private readonly IReadOnlyList<string>? types = kernel.ParameterTypes is { } named && named.Count == parameters.Count ? named : null;

    private string Name => types is null && declaration is not null ? $"{kernel.Plain}({declaration})" : kernel.Signature;

    /// <summary>Checks the arguments.</summary>
    /// <param name="arguments">The arguments in order.</param>
    /// <exception cref="SprintException">One does not fit; the sentence says what would.</exception>
    internal void Check(IReadOnlyList<KernelArgument> arguments)
    {
        if (arguments.Count != parameters.Count)
        {
            string list = types is null && declaration is not null ? "" : $": {string.Join(", ", Enumerable.Range(0, parameters.Count).Select(Describe))}";
            throw new SprintException($"{Name} takes {parameters.Count} arguments, but {arguments.Count} {(arguments.Count == 1 ? "is" : "are")} given with --arg{list}");
        }

        for (int i = 0; i < arguments.Count; i++)
        {
            if (Fault(arguments[i], i) is { } fault)
            {
                throw new SprintException($"argument {i} '{arguments[i].Text}' does not fit {Name}: its parameter {i} is {Article(Describe(i))}{fault}");
            }
        }
    }

    private string Describe(int i) => types?[i] ?? parameters[i].ToString();

    private static string Article(string what) => char.IsAsciiDigit(what[0]) && what.EndsWith("bytes", StringComparison.Ordinal) ? what : what[0] is 'u' or 'i' ? $"an {what}" : $"a {what}";

    private string? Fault(KernelArgument argument, int i)
    {
        KernelParameter parameter = parameters[i];
        string? type = types?[i];
        bool isPointer = type is null ? parameter.Size == PointerBytes && parameter.Kind != KernelParameterKind.FloatingPoint : IsPointer(type);
        if (argument is BufferArgument buffer)
        {
            return !isPointer ? $", not a pointer to a buffer: write {Example(parameter, type)}"
                : type is not null && buffer.Type is { } element && !PointsTo(type, element, out string? wanted) ? $": write {wanted}[...]"
                : null;
        }

        var scalar = (ScalarArgument)argument;
        if (scalar.Bytes.Length != parameter.Size)
        {
            return $" of {parameter.Size} bytes, not of {scalar.Bytes.Length}: write {Example(parameter, type)}";
        }

        bool isFloat = scalar.Type is SafetensorsDataType.F32 or SafetensorsDataType.F64;
        if (scalar.Type is not null && parameter.Kind != KernelParameterKind.Bytes && isFloat != (parameter.Kind == KernelParameterKind.FloatingPoint))
        {
            return $": write {Example(parameter, type)}";
        }

        return type is not null && isPointer && scalar.Bytes.Any(static part => part != 0)
            ? $": write a buffer such as {Example(parameter, type)}, or u64:0 for a null pointer"
            : null;
    }

    private static bool IsPointer(string type) => type.EndsWith('*') || type.EndsWith("* const", StringComparison.Ordinal) || type.EndsWith("* __restrict__", StringComparison.Ordinal);

    private static string Example(KernelParameter parameter, string? type)
    {
        if (type is not null && IsPointer(type))
        {
            PointsTo(type, SafetensorsDataType.F8_E4M3, out string? element);
            return $"{element ?? "f32"}[1024]=zeros";
        }

        return (parameter.Kind, parameter.Size) switch
        {
            _ when type is "bool" => "bool:true",
            _ when type is "__half" => "f16:1.5",
            _ when type is "__nv_bfloat16" => "bf16:1.5",
            (KernelParameterKind.FloatingPoint, 4) => "f32:1.5",
            (KernelParameterKind.FloatingPoint, _) => "f64:1.5",
            (KernelParameterKind.IntegerOrPointer, 1) => "i8:1",
            (KernelParameterKind.IntegerOrPointer, 2) => "i16:1",
            (KernelParameterKind.IntegerOrPointer, 4) => "i32:1",
            (KernelParameterKind.IntegerOrPointer, _) when type is not null => "i64:1",
            (KernelParameterKind.IntegerOrPointer, _) => "i64:1 or f32[1024]=zeros",
            _ => $"bytes: and {2 * parameter.Size} hexadecimal digits",
        };
    }

    /// <summary>
    /// Whether a pointer of that type may point to such elements. Vectors of float are of floats; integers take integers of their size, and 16-bit ones
    /// the bits of 16-bit floats; bytes, vectors of integers and structures take anything.
    /// </summary>
    private static bool PointsTo(string pointer, SafetensorsDataType element, out string? wanted)
    {
        string target = pointer[..pointer.IndexOf('*', StringComparison.Ordinal)];
        target = Qualifiers().Replace(target, "").Trim();
        SafetensorsDataType? exact = target switch
        {
            "float" or "float2" or "float3" or "float4" => SafetensorsDataType.F32,
            "double" or "double2" or "double3" or "double4" => SafetensorsDataType.F64,
            "__half" or "__half2" => SafetensorsDataType.F16,
            "__nv_bfloat16" or "__nv_bfloat162" => SafetensorsDataType.BF16,
            "short" => SafetensorsDataType.I16,
            "unsigned short" => SafetensorsDataType.U16,
            "int" => SafetensorsDataType.I32,
            "unsigned int" => SafetensorsDataType.U32,
            "long long" => SafetensorsDataType.I64,
            "unsigned long long" => SafetensorsDataType.U64,
            _ => null,
        };
        wanted = exact is null ? null : KernelArgument.NameOf(exact.Value);
        bool sameSize = exact is { } type && element.ElementSize() == type.ElementSize();
        return pointer.Count(static letter => letter == '*') > 1
            || exact is null
            || element == exact
            || (exact.Value.IsInteger() && sameSize && (element.IsInteger() || element.ElementSize() == 2));
    }

    [GeneratedRegex(@"\b(const|volatile)\b")]
    private static partial Regex Qualifiers();
}
