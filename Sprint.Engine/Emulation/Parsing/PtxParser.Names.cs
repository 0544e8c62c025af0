using System.Globalization;

namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Names of a scope: registers, variables, parameters and labels are each declared once, together.</summary>
internal sealed partial class PtxParser
{
    private const int MaximumRegisters = 1 << 16;
    private const int MaximumDigits = 10;

    private void ParseRegisters()
    {
        Skip();
        string word = TakeName();
        if (word is ".v2" or ".v4")
            throw Error("Vector registers are not executed", EmulationFault.Unsupported);
        PtxType type = PtxTypes.Parse(word.AsSpan(1));
        if (type is PtxType.None or PtxType.B128)
            throw Error($"\"{word}\" is no type of a register that is executed", EmulationFault.Unsupported);
        do
        {
            int line = Current.Line;
            string name = TakeName();
            if (AcceptPunctuation('<'))
            {
                DeclareFamily(name, new PtxFamily(type, (int)TakeInteger(0, int.MaxValue), line));
                Expect('>');
            }
            else
            {
                Declare(name, line);
                scope.Registers.Add(name, CreateRegister(name, type));
            }
        }
        while (AcceptPunctuation(','));
        Expect(';');
    }

    private PtxRegister CreateRegister(string name, PtxType type)
    {
        if (function.Registers.Count >= MaximumRegisters)
            throw Error($"The function {function.Name} uses more than {MaximumRegisters} registers", EmulationFault.Unsupported);
        PtxRegister register = new(name, type, function.Registers.Count);
        function.Registers.Add(register);
        return register;
    }

    private void Declare(string name, int line)
    {
        if (scope.Lines.TryGetValue(name, out int earlier))
            throw DeclaredTwice(name, earlier, line);
        if (FindFamily(scope, name) is { } found)
            throw DeclaredTwice(name, found.Family.Line, line);
        scope.Lines[name] = line;
        int digits = DigitsFrom(name);
        if (!int.TryParse(name.AsSpan(digits), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            return;
        string stem = name[..digits];
        if (!scope.Numbered.TryGetValue(stem, out (string Name, int Number) least) || number < least.Number)
            scope.Numbered[stem] = (name, number);
    }

    private void DeclareFamily(string prefix, PtxFamily family)
    {
        if (family.Count > MaximumRegisters)
            throw Error($"The function {function.Name} declares {family.Count} registers {prefix}, of which {MaximumRegisters} are executed", EmulationFault.Unsupported, family.Line);
        if (scope.Families.TryGetValue(prefix, out PtxFamily earlier))
            throw DeclaredTwice($"{prefix}<{family.Count}>", earlier.Line, family.Line);
        if (scope.Numbered.TryGetValue(prefix, out (string Name, int Number) single) && single.Number < family.Count)
            throw DeclaredTwice(single.Name, scope.Lines[single.Name], family.Line);
        scope.Families[prefix] = family;
    }

    private EmulationException DeclaredTwice(string name, int earlier, int line)
        => Error($"The name {name} is declared twice in one scope, on line {earlier} and on line {line}", line: line);

    private PtxRegister? FindRegister(string name)
    {
        for (PtxScope? scope = this.scope; scope is not null; scope = scope.Parent)
        {
            if (scope.Registers.TryGetValue(name, out PtxRegister? register))
                return register;
            if (FindFamily(scope, name) is not { } found)
                continue;
            // %r03 is %r3.
            string canonical = found.Prefix + found.Number.ToString(CultureInfo.InvariantCulture);
            if (!scope.Registers.TryGetValue(canonical, out register))
                scope.Registers[canonical] = register = CreateRegister(canonical, found.Family.Type);
            return register;
        }
        RequireFamily(name);
        return null;
    }

    // A number behind the end of a family is more likely a slip than the name of anything else.
    private void RequireFamily(string name)
    {
        string prefix = name[..DigitsFrom(name)];
        for (PtxScope? scope = prefix.Length < name.Length ? this.scope : null; scope is not null; scope = scope.Parent)
        {
            if (scope.Families.TryGetValue(prefix, out PtxFamily family))
                throw Error($"The register {name} is beyond the {family.Count} declared as {prefix}");
        }
    }

    /// <summary>The family of a scope that a name belongs to, where its digits may be split between prefix and number.</summary>
    private static (PtxFamily Family, string Prefix, int Number)? FindFamily(PtxScope scope, string name)
    {
        if (scope.Families.Count == 0)
            return null;
        for (int split = name.Length - 1; split > 0 && split >= name.Length - MaximumDigits && char.IsAsciiDigit(name[split]); split--)
        {
            string prefix = name[..split];
            if (scope.Families.TryGetValue(prefix, out PtxFamily family)
                && int.TryParse(name.AsSpan(split), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < family.Count)
                return (family, prefix, number);
        }
        return null;
    }

    private static int DigitsFrom(string name)
    {
        int digits = name.Length;
        while (digits > 0 && char.IsAsciiDigit(name[digits - 1]))
            digits--;
        return digits;
    }
}
