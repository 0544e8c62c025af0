using System.Globalization;

namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Parses a module: this part holds the token cursor and the top level.</summary>
internal sealed partial class PtxParser
{
    private readonly string text;
    private readonly PtxModule module;
    private readonly List<PtxToken> tokens;
    private int next;

    public PtxParser(string text, string name)
    {
        this.text = text;
        module = new PtxModule(name);
        tokens = new PtxLexer(text, name).ReadAll();
    }

    private PtxToken Current => tokens[next];

    /// <summary>Parses everything up to the end of the text.</summary>
    public PtxModule ParseModule()
    {
        while (Current.Kind != PtxTokenKind.End)
            ParseTopLevel();
        if (module.Version.Length == 0)
            throw Error("The text has no .version directive, so it is not a PTX module");
        if (module.Target.Length == 0)
            throw Error("The module has no .target directive, such as .target sm_80");
        return module;
    }

    private void ParseTopLevel()
    {
        bool isExtern = false;
        while (AcceptAny(".visible", ".weak", ".common") || Accept(".extern", ref isExtern))
        {
        }
        string word = Peek();
        switch (word)
        {
            case ".version":
                ParseVersion();
                break;
            case ".target":
                ParseTarget();
                break;
            case ".address_size":
                Skip();
                if (Take(PtxTokenKind.Number, "32 or 64") != "64")
                    throw Error("Only modules with .address_size 64 are executed", EmulationFault.Unsupported);
                break;
            case ".file":
                ParseFile();
                break;
            case ".section":
                SkipSection();
                break;
            case ".pragma":
                SkipStatement();
                break;
            case ".loc":
                ParseLocation();
                break;
            case ".entry" or ".func":
                ParseFunction();
                break;
            case ".global" or ".const" or ".shared":
                ParseModuleVariable(isExtern);
                break;
            default:
                throw Error(Current.Kind == PtxTokenKind.End
                    ? "The text ends after a linking directive"
                    : $"\"{word}\" is no directive of a PTX module");
        }
    }

    // Later versions only add: what they add is refused where it is reached. Before 2.0 floating-point arithmetic had other rules.
    private void ParseVersion()
    {
        Skip();
        if (module.Version.Length > 0)
            throw Error("A second .version begins another module: give each module a file of its own");
        string version = Peek();
        if (!System.Version.TryParse(version, out Version? number))
            throw Error($"\"{version}\" is no version of the PTX ISA, such as 7.8");
        if (number.Major < 2)
            throw Error($"PTX ISA {version} has other rules for floating-point numbers; modules are executed from version 2.0 on", EmulationFault.Unsupported);
        module.Version = Take(PtxTokenKind.Number, "a version such as 7.8");
    }

    private void ParseTarget()
    {
        Skip();
        string target = Peek();
        string digits = target.StartsWith("sm_", StringComparison.Ordinal) ? target[3..].TrimEnd('a', 'f') : string.Empty;
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int architecture))
            throw Error($"\"{target}\" is no target, such as sm_80 or sm_90a");
        if (architecture < 20)
            throw Error($"The target {target} has other rules for floating-point numbers; modules are executed for sm_20 and later", EmulationFault.Unsupported);
        module.Target = Take(PtxTokenKind.Word, "a target such as sm_80");
        module.Architecture = architecture;
        while (AcceptPunctuation(','))
            Take(PtxTokenKind.Word, "a target option");
    }

    private void ParseFile()
    {
        Skip();
        int number = (int)TakeInteger(0, int.MaxValue);
        if (!module.Files.TryAdd(number, Take(PtxTokenKind.Text, "a file name in quotes")))
            throw Error($"The file number {number} is declared twice");
        while (AcceptPunctuation(','))
            TakeInteger(0, long.MaxValue);
    }

    private void SkipSection()
    {
        Skip();
        Take(PtxTokenKind.Word, "a section name");
        Expect('{');
        int depth = 1;
        while (depth > 0)
        {
            depth += IsPunctuation('{') ? 1 : IsPunctuation('}') ? -1 : 0;
            SkipToken("A .section is not closed");
        }
    }

    private void ParseModuleVariable(bool isExtern)
    {
        PtxSpace space = ParseSpace();
        do
        {
            PtxVariable variable = ParseDeclarator(space, isExtern);
            AddVariable(variable);
        }
        while (AcceptPunctuation(','));
        Expect(';');
    }

    // A variable is defined once, and declared external as often as its users like.
    private void AddVariable(PtxVariable variable)
    {
        if (module.Functions.TryGetValue(variable.Name, out PtxFunction? function))
            throw DeclaredTwice(variable.Name, function.Line, variable.Line);
        if (module.Variables.TryAdd(variable.Name, variable))
            return;
        PtxVariable earlier = module.Variables[variable.Name];
        if ((!earlier.IsExtern && !variable.IsExtern) || earlier.Space != variable.Space || earlier.Type != variable.Type)
            throw DeclaredTwice(variable.Name, earlier.Line, variable.Line);
        if (!variable.IsExtern)
            module.Variables[variable.Name] = variable;
    }

    private string Peek() => text.Substring(Current.Start, Current.Length);

    private bool IsPunctuation(char c)
        => Current.Kind == PtxTokenKind.Punctuation && text[Current.Start] == c;

    private bool IsWord(string word)
        => Current.Kind == PtxTokenKind.Word && text.AsSpan(Current.Start, Current.Length).SequenceEqual(word);

    private void Skip()
    {
        if (next < tokens.Count - 1)
            next++;
    }

    private void SkipToken(string unfinished)
    {
        if (Current.Kind == PtxTokenKind.End)
            throw Error(unfinished);
        Skip();
    }

    private bool Accept(string word)
    {
        if (!IsWord(word))
            return false;
        Skip();
        return true;
    }

    private bool Accept(string word, ref bool flag)
    {
        bool accepted = Accept(word);
        flag |= accepted;
        return accepted;
    }

    private bool AcceptAny(params ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            if (Accept(word))
                return true;
        }
        return false;
    }

    private bool AcceptPunctuation(char c)
    {
        if (!IsPunctuation(c))
            return false;
        Skip();
        return true;
    }

    private void Expect(char c)
    {
        if (!AcceptPunctuation(c))
            throw Error($"Expected '{c}' but found {Found()}");
    }

    private string Take(PtxTokenKind kind, string expected)
    {
        if (Current.Kind != kind)
            throw Error($"Expected {expected} but found {Found()}");
        string text = Peek();
        Skip();
        return text;
    }

    private string TakeName() => Take(PtxTokenKind.Word, "a name");

    private long TakeInteger(long minimum, long maximum)
    {
        int line = Current.Line;
        bool negative = AcceptPunctuation('-');
        string text = Take(PtxTokenKind.Number, "an integer");
        if (!TryParseInteger(text, out ulong bits))
            throw Error($"\"{text}\" is not an integer", EmulationFault.Syntax, line);
        long value = negative ? -(long)bits : (long)bits;
        return value >= minimum && value <= maximum
            ? value
            : throw Error($"The number {(negative ? "-" : "")}{text} is not between {minimum} and {maximum}", EmulationFault.Syntax, line);
    }

    private static bool TryParseInteger(string text, out ulong bits)
    {
        ReadOnlySpan<char> digits = text.AsSpan().TrimEnd("uU");
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return ulong.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bits);
        if (digits.StartsWith("0b", StringComparison.OrdinalIgnoreCase))
            return ulong.TryParse(digits[2..], NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out bits);
        if (digits.Length > 1 && digits[0] == '0')
            return TryParseOctal(digits, out bits);
        return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out bits);
    }

    private static bool TryParseOctal(ReadOnlySpan<char> digits, out ulong bits)
    {
        bits = 0;
        foreach (char digit in digits)
        {
            if (digit is < '0' or > '7' || bits >> 61 != 0)
                return false;
            bits = bits << 3 | (uint)(digit - '0');
        }
        return true;
    }

    private string Found() => Current.Kind == PtxTokenKind.End ? "the end of the text" : $"\"{Peek()}\"";

    private EmulationException Error(string detail, EmulationFault fault = EmulationFault.Syntax, int line = 0)
        => new(fault, detail, new EmulationSite(Module: module.Name, PtxLine: line > 0 ? line : Current.Line));
}
