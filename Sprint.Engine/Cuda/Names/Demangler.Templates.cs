namespace Sprint.Engine.Cuda;

/// <content>Template arguments and parameters, and what substitutions stand for.</content>
internal sealed partial class Demangler
{
    /// <summary>Remembers what a later substitution may stand for.</summary>
    private void Remember(DemangledType type)
    {
        Require(type.Left.Length + type.Right.Length <= MostLength);
        substitutions.Add(type);
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
}
