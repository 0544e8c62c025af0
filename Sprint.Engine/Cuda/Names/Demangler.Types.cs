namespace Sprint.Engine.Cuda;

/// <content>Types, template arguments, substitutions.</content>
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
        Expect('F');
        Take('Y');
        DemangledType result = ReadType();
        List<string> parameters = [];
        while (!Take('E'))
        {
            parameters.AddRange(ReadTypes().Select(static type => type.ToString()));
        }

        string list = parameters is ["void"] ? "" : string.Join(", ", parameters);
        return new DemangledType(result.Left, $"({list}){result.Right}", Wraps: true);
    }

    private DemangledType ReadArrayType()
    {
        Expect('A');
        string length = Current == '_' ? "" : ReadNumber().ToString(System.Globalization.CultureInfo.InvariantCulture);
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

    /// <summary>template-args in angle brackets, or nothing.</summary>
    private string ReadTemplateArguments()
    {
        if (!Take('I'))
        {
            return "";
        }

        List<DemangledArgument> read = [];
        while (!Take('E'))
        {
            read.Add(ReadTemplateArgument());
        }

        lastArguments = read;
        string list = string.Join(", ", read.SelectMany(static argument => argument.Texts));
        Require(list.Length <= MostLength);
        return $"<{list}>";
    }

    private DemangledArgument ReadTemplateArgument()
    {
        using Level level = new(this);
        switch (Current)
        {
            case 'J':
                position++;
                List<DemangledType> pack = [];
                while (!Take('E'))
                {
                    pack.AddRange(ReadTemplateArgument().Texts);
                }

                return new DemangledArgument(pack, true);
            case 'L':
                return new DemangledArgument([new DemangledType(ReadLiteral())], false);
            case 'X':
                position++;
                string expression = Take("ad") ? "&" + ReadLiteral() : ReadLiteral();
                Expect('E');
                return new DemangledArgument([new DemangledType(expression)], false);
            default:
                return new DemangledArgument(ReadTypes(), false);
        }
    }

    /// <summary>expr-primary: a number of a type, or the name of a function.</summary>
    private string ReadLiteral()
    {
        Expect('L');
        if (Take("_Z"))
        {
            DemangledName function = ReadReferencedFunction();
            Expect('E');
            return function.WithTemplateArguments;
        }

        char code = Current;
        string type = ReadType().ToString();
        string sign = Take('n') ? "-" : "";
        int start = position;
        while (char.IsAsciiLetterOrDigit(Current) && Current != 'E')
        {
            position++;
        }

        string digits = text[start..position];
        Expect('E');
        return code switch
        {
            'b' when digits is "0" or "1" => digits == "1" ? "true" : "false",
            'i' or 's' => sign + digits,
            'j' or 't' => sign + digits + "u",
            'l' => sign + digits + "l",
            'm' => sign + digits + "ul",
            'x' => sign + digits + "ll",
            'y' => sign + digits + "ull",
            'D' => "nullptr",
            _ => $"({type}){sign}{digits}",
        };
    }

    // Its template parameters are its own.
    private DemangledName ReadReferencedFunction()
    {
        IReadOnlyList<DemangledArgument> own = arguments;
        DemangledName function = ReadFunction();
        arguments = own;
        return function;
    }

    /// <summary>T_ is the first template argument, T0_ the second.</summary>
    private DemangledType ReadTemplateParameter()
    {
        Expect('T');
        int index = Current == '_' ? 0 : ReadNumber() + 1;
        Expect('_');
        Require(index < arguments.Count);
        DemangledArgument argument = arguments[index];
        if (!argument.IsPack)
        {
            Require(argument.Texts.Count == 1);
            return argument.Texts[0];
        }

        if (packIndex < 0)
        {
            return new DemangledType(string.Join(", ", argument.Texts));
        }

        packLength = argument.Texts.Count;
        return packIndex < packLength ? argument.Texts[packIndex] : new DemangledType("");
    }

    /// <summary>S_ is the first that was remembered, S0_ the second, in base 36; some of std have letters.</summary>
    private DemangledType ReadSubstitution()
    {
        Expect('S');
        string? standard = Current switch
        {
            'a' => "std::allocator",
            'b' => "std::basic_string",
            's' => "std::string",
            'i' => "std::istream",
            'o' => "std::ostream",
            'd' => "std::iostream",
            _ => null,
        };
        if (standard is not null)
        {
            position++;
            return new DemangledType(standard);
        }

        int index = 0;
        if (Current != '_')
        {
            while (char.IsAsciiDigit(Current) || char.IsAsciiLetterUpper(Current))
            {
                index = (index * 36) + (Current <= '9' ? Current - '0' : Current - 'A' + 10);
                Require(index <= MostLength);
                position++;
            }

            index++;
        }

        Expect('_');
        Require(index < substitutions.Count);
        return substitutions[index];
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
