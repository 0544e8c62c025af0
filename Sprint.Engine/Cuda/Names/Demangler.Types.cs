using System.Globalization;

namespace Sprint.Engine.Cuda;

/// <content>Types, and packs of them.</content>
internal sealed partial class Demangler
{
    private int packIndex = -1;
    private int packLength = -1;

    /// <summary>One type in the place of several: a pack expansion gives any number.</summary>
    private List<DemangledType> ReadTypes()
    {
        if (!Take("Dp"))
        {
            return [ReadType()];
        }

        // The pattern is read once for each element of the pack, from the same place and with the same substitutions.
        (int start, int known, int outerIndex, int outerLength) = (position, substitutions.Count, packIndex, packLength);
        List<DemangledType> types = [];
        int length = 1;
        for (int i = 0; i < Math.Max(1, length); i++)
        {
            (position, packIndex, packLength) = (start, i, -1);
            substitutions.RemoveRange(known, substitutions.Count - known);
            DemangledType type = ReadType();
            Require(packLength >= 0);
            length = packLength;
            types.Add(type);
        }

        (packIndex, packLength) = (outerIndex, outerLength);
        return length == 0 ? [] : types;
    }

    private DemangledType ReadType()
    {
        using Level level = new(this);
        char code = Current;
        if (BuiltIn(code) is { } builtIn)
        {
            position++;
            return new DemangledType(builtIn);
        }

        DemangledType type;
        switch (code)
        {
            case 'P' or 'R' or 'O':
                position++;
                type = ReadType().PointedToBy(code switch { 'P' => "*", 'R' => "&", _ => "&&" });
                break;
            case 'r' or 'V' or 'K':
                type = ReadQualifiedType();
                break;
            case 'F':
                type = ReadFunctionType();
                break;
            case 'A':
                type = ReadArrayType();
                break;
            case 'M':
                position++;
                DemangledType owner = ReadType();
                type = ReadType().PointedToBy($" {owner}::*");
                break;
            case 'T':
                type = ReadTemplateParameter();
                if (Current == 'I')
                {
                    Remember(type);
                    type = new DemangledType(type + ReadTemplateArguments());
                }

                break;
            case 'S' when Next != 't':
                type = ReadSubstitution();
                if (Current != 'I')
                {
                    return type;
                }

                type = new DemangledType(type + ReadTemplateArguments());
                break;
            case 'D':
                return ReadExtendedBuiltIn();
            case 'u':
                position++;
                type = new DemangledType(ReadIdentifier());
                break;
            default:
                (string qualified, string templateArguments) = ReadName();
                type = new DemangledType(qualified + templateArguments);
                break;
        }

        Remember(type);
        return type;
    }

    private DemangledType ReadQualifiedType()
    {
        List<string> qualifiers = [];
        while (Current is 'r' or 'V' or 'K')
        {
            qualifiers.Add(Current switch { 'r' => "__restrict__", 'V' => "volatile", _ => "const" });
            position++;
        }

        DemangledType type = ReadType();
        return qualifiers.Aggregate(type, static (inner, qualifier) => inner.Qualified(qualifier));
    }

    private DemangledType ReadFunctionType()
    {
        (DemangledType result, List<string> parameters) = ReadFunctionParts();
        string list = parameters is ["void"] ? "" : string.Join(", ", parameters);
        return new DemangledType(result.Left, $"({list}){result.Right}", Wraps: true);
    }

    private (DemangledType Result, List<string> Parameters) ReadFunctionParts()
    {
        Expect('F');
        Take('Y');
        DemangledType result = ReadType();
        List<string> parameters = [];
        while (!Take('E'))
        {
            parameters.AddRange(ReadTypes().Select(static type => type.ToString()));
        }

        return (result, parameters);
    }

    private DemangledType ReadArrayType()
    {
        Expect('A');
        string length = Current == '_' ? "" : ReadNumber().ToString(CultureInfo.InvariantCulture);
        Expect('_');
        DemangledType element = ReadType();
        return new DemangledType(element.Left, $"[{length}]{element.Right}", Wraps: true);
    }

    private DemangledType ReadExtendedBuiltIn()
    {
        string? name = Next switch
        {
            'd' => "decimal64",
            'h' => "half",
            'i' => "char32_t",
            's' => "char16_t",
            'u' => "char8_t",
            'n' => "decltype(nullptr)",
            'a' => "auto",
            'c' => "decltype(auto)",
            _ => null,
        };
        if (name is not null)
        {
            position += 2;
            return new DemangledType(name);
        }

        if (Take("DF16b"))
        {
            return new DemangledType("std::bfloat16_t");
        }

        return Take("DF16_") ? new DemangledType("_Float16") : throw Unknown();
    }

    private static string? BuiltIn(char code) => code switch
    {
        'v' => "void",
        'w' => "wchar_t",
        'b' => "bool",
        'c' => "char",
        'a' => "signed char",
        'h' => "unsigned char",
        's' => "short",
        't' => "unsigned short",
        'i' => "int",
        'j' => "unsigned int",
        'l' => "long",
        'm' => "unsigned long",
        'x' => "long long",
        'y' => "unsigned long long",
        'n' => "__int128",
        'o' => "unsigned __int128",
        'f' => "float",
        'd' => "double",
        'e' => "long double",
        'g' => "__float128",
        'z' => "...",
        _ => null,
    };
}
