namespace Sprint.Engine.Cuda;

/// <content>Names: plain, nested, local and unnamed ones.</content>
internal sealed partial class Demangler
{
    /// <summary>name: with the last template arguments apart.</summary>
    private (string Qualified, string TemplateArguments) ReadName()
    {
        using Level level = new(this);
        if (Take('N'))
        {
            return ReadNestedName();
        }

        if (Take('Z'))
        {
            return (ReadLocalName(), "");
        }

        string name;
        if (Current == 'S' && Next != 't')
        {
            name = ReadSubstitution().ToString();
            return (name, ReadTemplateArguments());
        }

        name = Take("St") ? "std::" + ReadUnqualified() : ReadUnqualified();
        if (Current != 'I')
        {
            return (name, "");
        }

        Remember(new DemangledType(name));
        return (name, ReadTemplateArguments());
    }

    /// <summary>nested-name: every prefix but the whole may be substituted later.</summary>
    private (string Qualified, string TemplateArguments) ReadNestedName()
    {
        while (Current is 'r' or 'V' or 'K' or 'R' or 'O')
        {
            position++;
        }

        string prefix = "";
        string templateArguments = "";
        while (!Take('E'))
        {
            if (Current == 'I')
            {
                Require(prefix.Length > 0 && templateArguments.Length == 0);
                templateArguments = ReadTemplateArguments();
            }
            else
            {
                prefix += templateArguments;
                templateArguments = "";
                if (Current == 'S' && Next != 't')
                {
                    Require(prefix.Length == 0);
                    prefix = ReadSubstitution().ToString();
                    continue;
                }

                string part = Take("St") ? "std" : Current == 'T' ? ReadTemplateParameter().ToString() : ReadUnqualified();
                prefix = prefix.Length == 0 ? part : $"{prefix}::{part}";
            }

            if (Current != 'E')
            {
                Remember(new DemangledType(prefix + templateArguments));
            }
        }

        Require(prefix.Length > 0);
        return (prefix, templateArguments);
    }

    /// <summary>local-name: something declared in a function.</summary>
    private string ReadLocalName()
    {
        DemangledName function = ReadFunction();
        Expect('E');
        string inner;
        if (Take('s'))
        {
            inner = "string literal";
        }
        else
        {
            (string qualified, string templateArguments) = ReadName();
            inner = qualified + templateArguments;
        }

        if (Take('_'))
        {
            if (Take('_'))
            {
                ReadNumber();
                Expect('_');
            }
            else
            {
                ReadNumber();
            }
        }

        return $"{function.WithTemplateArguments}({string.Join(", ", function.ParameterTypes)})::{inner}";
    }

    /// <summary>unqualified-name: an identifier, an operator of a class, a lambda or an unnamed type.</summary>
    private string ReadUnqualified()
    {
        Take('L');
        if (char.IsAsciiDigit(Current))
        {
            string identifier = ReadIdentifier();
            while (Take('B'))
            {
                identifier += $"[abi:{ReadIdentifier()}]";
            }

            return identifier.StartsWith("_GLOBAL__N", StringComparison.Ordinal) ? "(anonymous namespace)" : identifier;
        }

        if (Take("Ul"))
        {
            List<string> types = [];
            while (!Take('E'))
            {
                types.AddRange(ReadTypes().Select(static type => type.ToString()));
            }

            return $"{{lambda({(types is ["void"] ? "" : string.Join(", ", types))})#{ReadOrdinal()}}}";
        }

        if (Take("Ut"))
        {
            return $"{{unnamed type#{ReadOrdinal()}}}";
        }

        return Take("cl") ? "operator()" : throw Unknown();
    }

    private string ReadIdentifier()
    {
        int length = ReadNumber();
        Require(length > 0 && length <= text.Length - position);
        string identifier = text.Substring(position, length);
        position += length;
        return identifier;
    }

    /// <summary>"_" is the first, "0_" the second.</summary>
    private int ReadOrdinal()
    {
        int ordinal = Current == '_' ? 1 : ReadNumber() + 2;
        Expect('_');
        return ordinal;
    }
}
