using System.Globalization;

namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Declarations of variables: spaces, types, extents and initial values.</summary>
internal sealed partial class PtxParser
{
    private const int MaximumNesting = 16;

    private PtxSpace ParseSpace()
    {
        string word = TakeName();
        return word switch
        {
            ".global" => PtxSpace.Global,
            ".const" => PtxSpace.Constant,
            ".shared" => PtxSpace.Shared,
            ".local" => PtxSpace.Local,
            ".param" => PtxSpace.Parameter,
            ".reg" => PtxSpace.Register,
            _ => throw Error($"\"{word}\" is no state space"),
        };
    }

    private PtxVariable ParseDeclarator(PtxSpace space, bool isExtern)
    {
        int alignment = 0;
        int vector = 1;
        PtxType type = PtxType.None;
        while (Current.Kind == PtxTokenKind.Word && text[Current.Start] == '.')
        {
            string word = TakeName();
            switch (word)
            {
                case ".align":
                    alignment = (int)TakeInteger(1, 1024);
                    if (!int.IsPow2(alignment))
                        throw Error($"The alignment {alignment} is no power of two");
                    break;
                case ".v2" or ".v4":
                    vector = word[2] - '0';
                    break;
                case ".ptr" or ".global" or ".const" or ".shared" or ".local":
                    break;
                case ".attribute":
                    SkipParentheses();
                    break;
                default:
                    type = PtxTypes.Parse(word.AsSpan(1));
                    if (type is PtxType.None)
                        throw Error($"\"{word}\" is no type of a variable");
                    break;
            }
        }
        if (type is PtxType.None)
            throw Error($"A variable without a type, before {Found()}");
        int line = Current.Line;
        string name = TakeName();
        List<long> extents = ParseExtents();
        long elements = vector;
        foreach (long extent in extents)
            elements = MultiplyExtent(elements, extent);
        int elementSize = Math.Max(type.Size(), 1);
        PtxVariable variable = new()
        {
            Name = name,
            Space = space,
            Type = type,
            Alignment = alignment > 0 ? alignment : elementSize * vector,
            Size = MultiplyExtent(elements, elementSize),
            IsExtern = isExtern,
            Line = line,
        };
        if (AcceptPunctuation('='))
            ParseInitialisers(variable, extents, vector, elementSize);
        return variable;
    }

    private long MultiplyExtent(long left, long right)
    {
        UInt128 product = (UInt128)left * (ulong)right;
        return product <= 1UL << 40 ? (long)product : throw Error("A variable is larger than 1 TiB", EmulationFault.Unsupported);
    }

    private List<long> ParseExtents()
    {
        List<long> extents = [];
        while (AcceptPunctuation('['))
        {
            extents.Add(IsPunctuation(']') ? 0 : TakeInteger(0, 1L << 40));
            Expect(']');
            if (extents.Count > MaximumNesting)
                throw Error($"A variable has more than {MaximumNesting} dimensions");
        }
        return extents;
    }

    private void ParseInitialisers(PtxVariable variable, List<long> extents, int vector, int elementSize)
    {
        variable.Initialisers = [];
        if (!IsPunctuation('{'))
        {
            variable.Initialisers.Add(ParseInitialiser(0, elementSize, variable.Type));
            return;
        }
        long[] strides = new long[extents.Count + 1];
        strides[extents.Count] = elementSize * vector;
        for (int k = extents.Count - 1; k >= 0; k--)
            strides[k] = strides[k + 1] * extents[k];
        long end = ParseInitialiserList(variable, strides, 1, 0, elementSize);
        if (extents.Count > 0 && extents[0] == 0)
            variable.Size = end;
        if (end > variable.Size)
            throw Error($"The variable {variable.Name} has more initial values than elements");
    }

    private long ParseInitialiserList(PtxVariable variable, long[] strides, int depth, long offset, int elementSize)
    {
        if (depth > MaximumNesting)
            throw Error("Initial values are nested too deeply");
        Expect('{');
        long stride = depth < strides.Length ? strides[depth] : elementSize;
        while (!AcceptPunctuation('}'))
        {
            if (IsPunctuation('{'))
            {
                ParseInitialiserList(variable, strides, depth + 1, offset, elementSize);
                offset += stride;
            }
            else
            {
                variable.Initialisers!.Add(ParseInitialiser(offset, elementSize, variable.Type));
                offset += elementSize;
            }
            if (!AcceptPunctuation(',') && !IsPunctuation('}'))
                throw Error($"Expected ',' or '}}' but found {Found()}");
        }
        return offset;
    }

    private PtxInitialiser ParseInitialiser(long offset, int size, PtxType type)
    {
        if (Current.Kind == PtxTokenKind.Word)
        {
            string symbol = TakeName();
            bool generic = symbol == "generic" && AcceptPunctuation('(');
            if (generic)
            {
                symbol = TakeName();
                Expect(')');
            }
            long addend = AcceptPunctuation('+') ? TakeInteger(long.MinValue, long.MaxValue) : IsPunctuation('-') ? TakeInteger(long.MinValue, 0) : 0;
            if (size != 8)
                throw Error($"The address of {symbol} needs an 8-byte element", EmulationFault.Unsupported);
            return new PtxInitialiser(offset, size, (ulong)addend, symbol, generic);
        }
        PtxOperand value = ParseConstant();
        bool real = value.Kind == PtxOperandKind.Float;
        if (type is PtxType.F32 or PtxType.F64 ? !real : real && type is not (PtxType.B32 or PtxType.B64))
            throw Error($"The initial value is {(real ? "a floating-point number" : "an integer")}, and the variable of type .{type.ToString().ToLowerInvariant()}");
        ulong bits = real ? ConvertLiteral(value, type) : (ulong)value.Value;
        return new PtxInitialiser(offset, size, bits, null, false);
    }

    /// <summary>Bits of a floating-point literal in the given type.</summary>
    internal static ulong ConvertLiteral(PtxOperand literal, PtxType type)
    {
        if (type.Size() == 8)
        {
            return literal.IsDouble
                ? (ulong)literal.Value
                : BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle((uint)literal.Value));
        }
        return literal.IsDouble
            ? BitConverter.SingleToUInt32Bits((float)BitConverter.Int64BitsToDouble(literal.Value))
            : (uint)literal.Value;
    }

    /// <summary>A constant: signed terms joined by + - * and shifts, evaluated from left to right, or a floating-point literal.</summary>
    private PtxOperand ParseConstant()
    {
        PtxOperand first = ParseTerm();
        if (first.Kind == PtxOperandKind.Float)
            return first;
        long value = first.Value;
        while (Current.Kind == PtxTokenKind.Punctuation && text[Current.Start] is '+' or '-' or '*' or '<' or '>')
        {
            char operation = text[Current.Start];
            Skip();
            if (operation is '<' or '>')
                Expect(operation);
            long term = IntegerOf(ParseTerm());
            value = operation switch
            {
                '+' => value + term,
                '-' => value - term,
                '*' => value * term,
                '<' => value << (int)term,
                _ => value >> (int)term,
            };
        }
        return new PtxOperand { Kind = PtxOperandKind.Integer, Value = value };
    }

    private long IntegerOf(PtxOperand constant)
        => constant.Kind == PtxOperandKind.Integer ? constant.Value : throw Error("A floating-point number stands where an integer is needed");

    private PtxOperand ParseTerm()
    {
        bool negate = false;
        bool complement = false;
        while (IsPunctuation('-') || IsPunctuation('~') || IsPunctuation('+'))
        {
            negate ^= IsPunctuation('-');
            complement ^= IsPunctuation('~');
            Skip();
        }
        string text = Take(PtxTokenKind.Number, "a number");
        if (text.StartsWith("0f", StringComparison.OrdinalIgnoreCase))
            return Literal(text, negate, 8);
        if (text.StartsWith("0d", StringComparison.OrdinalIgnoreCase))
            return Literal(text, negate, 16);
        if (TryParseInteger(text, out ulong bits))
        {
            long value = (long)bits;
            value = negate ? -value : value;
            return new PtxOperand { Kind = PtxOperandKind.Integer, Value = complement ? ~value : value };
        }
        if (!text.AsSpan().ContainsAny(".eE") || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real))
            throw Error($"\"{text}\" is not a number, or one of more than 64 bits");
        long realBits = BitConverter.DoubleToInt64Bits(negate ? -real : real);
        return new PtxOperand { Kind = PtxOperandKind.Float, Value = realBits, IsDouble = true };
    }

    private PtxOperand Literal(string text, bool negate, int digits)
    {
        if (text.Length != 2 + digits
            || !ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits))
            throw Error($"The floating-point literal {text} needs {digits} hexadecimal digits");
        bits ^= negate ? 1UL << (digits * 4 - 1) : 0;
        return new PtxOperand { Kind = PtxOperandKind.Float, Value = (long)bits, IsDouble = digits == 16 };
    }

    private void SkipParentheses()
    {
        Expect('(');
        while (!AcceptPunctuation(')'))
        {
            SkipToken("A parenthesis is not closed");
        }
    }
}
