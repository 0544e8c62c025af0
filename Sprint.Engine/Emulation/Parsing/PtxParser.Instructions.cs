using System.Text;

namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Instructions and their operands.</summary>
internal sealed partial class PtxParser
{
    private const int MaximumOperands = 128;
    private const int MaximumTextShown = 400;

    private void ParseInstruction()
    {
        PtxToken start = Current;
        PtxRegister? guard = null;
        bool negated = false;
        if (AcceptPunctuation('@'))
        {
            negated = AcceptPunctuation('!');
            guard = FindRegister(TakeName());
            if (guard is null || guard.Type != PtxType.Pred)
                throw Error("The guard of an instruction is no predicate register");
        }
        string opcode = Take(PtxTokenKind.Word, "an instruction");
        List<PtxOperand> operands = [];
        while (!IsPunctuation(';'))
        {
            operands.Add(ParseOperand(0));
            if (operands.Count > MaximumOperands)
                throw Error($"An instruction has more than {MaximumOperands} operands", EmulationFault.Unsupported);
            if (!AcceptPunctuation(',') && !IsPunctuation(';'))
                throw Error($"Expected ',' or ';' but found {Found()}");
        }
        string text = Squeeze(this.text.AsSpan(start.Start, Current.Start + 1 - start.Start));
        Skip();
        string[] parts = opcode.Split('.');
        function.Instructions.Add(new PtxInstruction
        {
            Opcode = opcode,
            Name = parts[0],
            Modifiers = parts[1..],
            Operands = [.. operands],
            Guard = guard,
            GuardNegated = negated,
            Scope = scope,
            Location = location,
            Line = start.Line,
            Text = text,
        });
    }

    private static string Squeeze(ReadOnlySpan<char> text)
    {
        StringBuilder squeezed = new(text.Length);
        foreach (char c in text)
        {
            bool blank = char.IsWhiteSpace(c);
            if (!blank)
                squeezed.Append(c);
            else if (squeezed.Length > 0 && squeezed[^1] != ' ')
                squeezed.Append(' ');
            if (squeezed.Length >= MaximumTextShown)
                return squeezed.Append("...").ToString();
        }
        return squeezed.ToString();
    }

    private PtxOperand ParseOperand(int depth)
    {
        if (depth > 4)
            throw Error("Operands are nested too deeply");
        if (AcceptPunctuation('{'))
            return new PtxOperand { Kind = PtxOperandKind.Vector, Items = ParseItems('}', depth) };
        if (AcceptPunctuation('('))
            return new PtxOperand { Kind = PtxOperandKind.List, Items = ParseItems(')', depth) };
        if (AcceptPunctuation('['))
            return ParseAddress(depth);
        if (AcceptPunctuation('!'))
        {
            PtxRegister? register = FindRegister(TakeName());
            return register?.Type == PtxType.Pred
                ? new PtxOperand { Kind = PtxOperandKind.Register, Register = register, IsNegated = true }
                : throw Error("Only predicate registers are negated");
        }
        if (Current.Kind != PtxTokenKind.Word)
            return ParseConstant();
        PtxOperand operand = ParseWord();
        if (!AcceptPunctuation('|'))
            return operand;
        return new PtxOperand { Kind = PtxOperandKind.Pair, Items = [operand, ParseOperand(depth + 1)] };
    }

    private PtxOperand[] ParseItems(char end, int depth)
    {
        List<PtxOperand> items = [];
        while (!AcceptPunctuation(end))
        {
            items.Add(ParseOperand(depth + 1));
            if (items.Count > MaximumOperands)
                throw Error("An operand has too many elements");
            if (!AcceptPunctuation(',') && !IsPunctuation(end))
                throw Error($"Expected ',' or '{end}' but found {Found()}");
        }
        return [.. items];
    }

    private PtxOperand ParseWord()
    {
        string name = TakeName();
        if (name == "_")
            return new PtxOperand { Kind = PtxOperandKind.Discard };
        if (name == "WARP_SZ")
            return new PtxOperand { Kind = PtxOperandKind.Integer, Value = 32 };
        PtxRegister? register = FindRegister(name);
        if (register is not null)
            return new PtxOperand { Kind = PtxOperandKind.Register, Register = register };
        if (name[0] == '%')
            return new PtxOperand { Kind = PtxOperandKind.Special, Name = name };
        return new PtxOperand { Kind = PtxOperandKind.Symbol, Name = name, Value = ParseOffset() };
    }

    private PtxOperand ParseAddress(int depth)
    {
        PtxRegister? register = null;
        string? name = null;
        long offset = 0;
        if (Current.Kind == PtxTokenKind.Word)
        {
            name = TakeName();
            register = FindRegister(name);
            if (register is not null)
                name = null;
            else if (name[0] == '%')
                throw Error($"The register {name} is not declared");
            offset = ParseOffset();
        }
        else
        {
            offset = IntegerOf(ParseConstant());
        }
        var address = new PtxOperand { Kind = PtxOperandKind.Address, Register = register, Name = name, Value = offset };
        if (AcceptPunctuation(','))
            return new PtxOperand { Kind = PtxOperandKind.List, Items = [address, .. ParseItems(']', depth)] };
        Expect(']');
        return address;
    }

    private long ParseOffset()
    {
        return IsPunctuation('-') || AcceptPunctuation('+') ? IntegerOf(ParseConstant()) : 0;
    }
}
