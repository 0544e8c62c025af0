using System.Buffers.Binary;
using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>
/// Whether arguments fit a kernel's parameters: by their C++ types where the kernel's name or the compiler tells those, else by their number, size and kind, which is all
/// that the image tells.
/// </summary>
/// <param name="kernel">The kernel.</param>
/// <param name="parameters">Its parameters by the image.</param>
/// <param name="types">Its parameters' C++ types, or null.</param>
/// <param name="declaration">Its parameters as the source declares them, or null.</param>
internal sealed class ParameterMatch(KernelName kernel, IReadOnlyList<KernelParameter> parameters, IReadOnlyList<string>? types, string? declaration)
{
    private const int PointerBytes = 8;
    private readonly ParameterType[]? signature = types?.Count == parameters.Count ? [.. types.Select(ParameterType.Parse)] : null;

    private string Name => declaration is not null ? $"{kernel.Plain}({declaration})"
        : kernel.ParameterTypes is null && signature is not null ? $"{kernel.Plain}({string.Join(", ", signature.Select(static type => type.Text))})"
        : kernel.Signature;

    /// <summary>Checks the arguments.</summary>
    /// <param name="arguments">The arguments in order.</param>
    /// <exception cref="SprintException">One does not fit; the sentence says what would.</exception>
    internal void Check(IReadOnlyList<KernelArgument> arguments)
    {
        if (arguments.Count != parameters.Count)
        {
            string list = signature is not null || declaration is not null || parameters.Count == 0 ? "" : $": {string.Join(", ", parameters)}";
            throw new SprintException(
                $"{Name} takes {Number(parameters.Count, "argument")}, but {arguments.Count} {(arguments.Count == 1 ? "is" : "are")} given with --arg{list}");
        }

        for (int i = 0; i < arguments.Count; i++)
        {
            if (Fault(arguments[i], parameters[i], signature?[i]) is var (given, right))
            {
                throw new SprintException($"argument {i} '{arguments[i].Text}' is {given}, but parameter {i} of {Name} is {Describe(i)}: {right}");
            }
        }
    }

    private string Describe(int i) => signature is null ? parameters[i].ToString()
        : signature[i].Element is null && !signature[i].IsPointer ? $"of type {signature[i].Text} ({parameters[i].Size} bytes)"
        : $"of type {signature[i].Text}";

    /// <summary>What is given and what would be right; nothing where the argument fits.</summary>
    private static (string Given, string Right)? Fault(KernelArgument argument, KernelParameter parameter, ParameterType? type) => argument switch
    {
        BufferArgument buffer => BufferFault(buffer, parameter, type),
        StructureArgument structure => StructureFault(structure, parameter, type),
        _ => ScalarFault((ScalarArgument)argument, parameter, type),
    };

    private static (string Given, string Right)? StructureFault(StructureArgument structure, KernelParameter parameter, ParameterType? type)
    {
        if (type is { IsPointer: true } or { Element: not null } || (type is null && parameter.Kind != KernelParameterKind.Bytes))
        {
            return ("a structure by value", type is { IsPointer: true, Element: null }
                ? $"write the bytes of an array of structures, as in u8[{structure.Size}]@FILE.safetensors#NAME"
                : $"write {Example(parameter, type)}");
        }

        string offsets = string.Join(", ", structure.Offsets);
        return structure.Size == parameter.Size
            ? null
            : ($"a structure of {Number(structure.Size, "byte")} with members at {offsets}", $"write members that take {Number(parameter.Size, "byte")}, bytes:00 for one of padding");
    }

    private static (string Given, string Right)? BufferFault(BufferArgument buffer, KernelParameter parameter, ParameterType? type)
    {
        SafetensorsDataType element = buffer.Type!.Value;
        string name = KernelArgument.NameOf(element);

        // Where only the image tells, any 8 bytes that are no floating-point number may be a pointer.
        if (!(type?.IsPointer ?? (parameter.Size == PointerBytes && parameter.Kind != KernelParameterKind.FloatingPoint)))
        {
            return ($"a buffer of {name}", $"write {Example(parameter, type)}");
        }

        if (type is null)
        {
            return null;
        }

        if (!type.Takes(element))
        {
            return ($"a buffer of {name}", Corrected(buffer, type.Element!.Value));
        }

        return buffer.Count % type.Lanes != 0
            ? ($"a buffer of {Number(buffer.Count, "element")}", $"write a multiple of {type.Lanes} elements")
            : null;
    }

    /// <summary>The argument with the parameter's element type, where that is possible.</summary>
    private static string Corrected(BufferArgument buffer, SafetensorsDataType element)
    {
        string right = KernelArgument.NameOf(element);
        return buffer.Contents.Fill switch
        {
            BufferFill.Stored when element.IsFloat() && buffer.Type!.Value.IsFloat() => $"write {right}[{string.Join(",", buffer.Shape!)}]@{buffer.Contents.File}#{buffer.Contents.Tensor}",
            BufferFill.Stored => $"name a tensor that is stored as {right}",
            _ when KernelArgument.TryParse($"{right}{buffer.Text[buffer.Text.IndexOf('[', StringComparison.Ordinal)..]}") is { } corrected => $"write {corrected.Text}",
            _ => $"write {right}[{string.Join(",", buffer.Shape!)}]=zeros",
        };
    }

    private static (string Given, string Right)? ScalarFault(ScalarArgument scalar, KernelParameter parameter, ParameterType? type)
    {
        string right = $"write {Example(parameter, type)}";
        string given = scalar.Type is { } named ? KernelArgument.NameOf(named) : Number(scalar.Bytes.Length, "byte");
        if (type is { IsPointer: true } && (scalar.Bytes.Length != parameter.Size || scalar.Type?.IsFloat() == true || scalar.Bytes.Any(static part => part != 0)))
        {
            return ($"{given} by value", $"{right}, or u64:0 for a null pointer");
        }

        if (scalar.Bytes.Length != parameter.Size)
        {
            return (type is null ? Number(scalar.Bytes.Length, "byte") : given, right);
        }

        if (scalar.Type is not { } number || type is { IsPointer: true })
        {
            return null;
        }

        bool fits = type switch
        {
            { Element: not null } => type.Takes(number),
            not null when parameter.Kind == KernelParameterKind.Bytes => false,
            _ => parameter.Kind == KernelParameterKind.Bytes || (number is SafetensorsDataType.F32 or SafetensorsDataType.F64) == (parameter.Kind == KernelParameterKind.FloatingPoint),
        };
        if (!fits)
        {
            return (given, right);
        }

        // The same bits would be another number.
        return type?.Element is { } own && own.IsInteger() && number.IsInteger() && IsSigned(own) != IsSigned(number) && (scalar.Bytes[^1] & 0x80) != 0
            ? ($"beyond {KernelArgument.NameOf(own)}", $"write {KernelArgument.NameOf(own)}:{Reread(scalar.Bytes, IsSigned(own))} for the same bits")
            : null;
    }

    /// <summary>An integer whose highest bit is set, with the other sign.</summary>
    private static string Reread(byte[] bytes, bool signed)
    {
        Span<byte> wide = stackalloc byte[sizeof(long)];
        wide.Fill(signed ? byte.MaxValue : (byte)0);
        bytes.CopyTo(wide);
        return signed
            ? BinaryPrimitives.ReadInt64LittleEndian(wide).ToString(CultureInfo.InvariantCulture)
            : BinaryPrimitives.ReadUInt64LittleEndian(wide).ToString(CultureInfo.InvariantCulture);
    }

    private static bool IsSigned(SafetensorsDataType type) => type.ToString()[0] == 'I';

    /// <summary>An argument that fits.</summary>
    private static string Example(KernelParameter parameter, ParameterType? type) => (parameter.Kind, parameter.Size) switch
    {
        _ when type is { IsPointer: true } => $"{KernelArgument.NameOf(type.Element ?? SafetensorsDataType.F32)}[1024]=zeros",
        _ when type?.Element is { } element => $"{KernelArgument.NameOf(element)}:{(element == SafetensorsDataType.BOOL ? "true" : element.IsFloat() ? "1.5" : "1")}",
        (KernelParameterKind.FloatingPoint, 4) => "f32:1.5",
        (KernelParameterKind.FloatingPoint, _) => "f64:1.5",
        (KernelParameterKind.IntegerOrPointer, 1) => "i8:1",
        (KernelParameterKind.IntegerOrPointer, 2) => "i16:1",
        (KernelParameterKind.IntegerOrPointer, 4) => "i32:1",
        (KernelParameterKind.IntegerOrPointer, _) => type is null ? "i64:1 or f32[1024]=zeros" : "i64:1",
        _ => $"struct:{{ARG,ARG,...}} of {Number(parameter.Size, "byte")}, or bytes: and {2 * parameter.Size} hexadecimal digits",
    };

    private static string Number(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
