using System.Globalization;

namespace Sprint.Engine.Cuda;

/// <summary>
/// Reads names mangled by the Itanium C++ ABI (section 5.1), as far as kernels have them: namespaces, classes, templates with types, numbers,
/// functions and packs as arguments, substitutions, and the types of parameters. What it does not know makes the whole name unknown. Names may come from
/// hostile files: depth and length of what is read are bounded.
/// </summary>
internal sealed partial class Demangler
{
    private const int MostDepth = 64;
    private const int MostLength = 4096;
    private const int MostSteps = 100_000;

    private readonly string text;
    private readonly List<DemangledType> substitutions = [];
    private IReadOnlyList<DemangledArgument> arguments = [];
    private IReadOnlyList<DemangledArgument> lastArguments = [];
    private int position;
    private int depth;
    private int steps;

    private Demangler(string text)
    {
        this.text = text;
    }

    /// <summary>The parts of a mangled function name, or null where it is none or is not understood.</summary>
    public static DemangledName? TryRead(string mangled)
    {
        if (!mangled.StartsWith("_Z", StringComparison.Ordinal) || mangled.Length > MostLength)
        {
            return null;
        }

        Demangler reader = new(mangled) { position = 2 };
        try
        {
            DemangledName name = reader.ReadFunction();
            return reader.position == mangled.Length && name.WithTemplateArguments.Length + name.ParameterTypes.Sum(static type => type.Length) <= MostLength ? name : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>encoding: name, return type, parameters.</summary>
    private DemangledName ReadFunction()
    {
        (string qualified, string templateArguments) = ReadName();
        if (templateArguments.Length > 0)
        {
            // The list that ended last is the function's own; only of templates is the return type part of the name.
            arguments = lastArguments;
            ReadType();
        }

        List<string> parameters = [];
        while (position < text.Length && Current != 'E')
        {
            parameters.AddRange(ReadTypes().Select(static type => type.ToString()));
        }

        return new DemangledName(qualified, qualified + templateArguments, parameters is ["void"] ? [] : parameters);
    }

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

    private int ReadNumber()
    {
        int start = position;
        while (char.IsAsciiDigit(Current))
        {
            position++;
        }

        return int.TryParse(text.AsSpan(start, position - start), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Unknown();
    }

    private char Current => position < text.Length ? text[position] : '\0';

    private char Next => position + 1 < text.Length ? text[position + 1] : '\0';

    private bool Take(char wanted)
    {
        bool found = Current == wanted;
        position += found ? 1 : 0;
        return found;
    }

    private bool Take(string wanted)
    {
        bool found = string.CompareOrdinal(text, position, wanted, 0, wanted.Length) == 0;
        position += found ? wanted.Length : 0;
        return found;
    }

    private void Expect(char wanted) => Require(Take(wanted));

    private void Require(bool holds)
    {
        if (!holds)
        {
            throw Unknown();
        }
    }

    private FormatException Unknown() => new($"'{text}' is not understood at character {position}.");

    /// <summary>Remembers what a later substitution may stand for.</summary>
    private void Remember(DemangledType type)
    {
        Require(type.Left.Length + type.Right.Length <= MostLength);
        substitutions.Add(type);
    }

    /// <summary>Counts how deep the reader is, and how long it has been at it.</summary>
    private readonly ref struct Level
    {
        private readonly Demangler reader;

        public Level(Demangler reader)
        {
            this.reader = reader;
            reader.depth++;
            reader.Require(reader.depth <= MostDepth && ++reader.steps <= MostSteps);
        }

        public void Dispose() => reader.depth--;
    }
}
