namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Functions: heads, performance directives, and the statements of bodies that are no instructions.</summary>
internal sealed partial class PtxParser
{
    private const int MaximumScopes = 64;

    private readonly Dictionary<(int File, int Line, int Column), (int File, int Line, int Column)> callers = [];
    private PtxLocation location;
    private PtxFunction function = null!;
    private PtxScope scope = null!;

    private void ParseFunction()
    {
        int line = Current.Line;
        bool isKernel = IsWord(".entry");
        Skip();
        PtxVariable[] results = !isKernel && IsPunctuation('(') ? ParseParameters() : [];
        string name = TakeName();
        PtxVariable[] parameters = IsPunctuation('(') ? ParseParameters() : [];
        location = default;
        function = new PtxFunction { Name = name, IsKernel = isKernel, Parameters = parameters, Results = results, Line = line };
        scope = function.Scope;
        foreach (PtxVariable variable in results.Concat(parameters))
        {
            if (variable.Name != "_" && !scope.Variables.TryAdd(variable.Name, variable))
                throw Error($"The parameter {variable.Name} of {name} is declared twice");
        }
        ParsePerformanceDirectives();
        if (!AcceptPunctuation(';'))
        {
            function.HasBody = true;
            ParseBody(0);
        }
        if (!module.Functions.TryGetValue(name, out PtxFunction? earlier) || !earlier.HasBody)
            module.Functions[name] = function;
        else if (function.HasBody)
            throw Error($"The function {name} is defined twice", EmulationFault.Syntax, line);
    }

    private PtxVariable[] ParseParameters()
    {
        List<PtxVariable> parameters = [];
        Expect('(');
        while (!AcceptPunctuation(')'))
        {
            PtxSpace space = ParseSpace();
            if (space is not (PtxSpace.Parameter or PtxSpace.Register))
                throw Error("Parameters are in the .param or .reg space");
            if (space == PtxSpace.Register)
                throw Error("Functions with .reg parameters are not executed; compile with a current compiler", EmulationFault.Unsupported);
            parameters.Add(ParseDeclarator(PtxSpace.Parameter, false));
            if (!AcceptPunctuation(',') && !IsPunctuation(')'))
                throw Error($"Expected ',' or ')' but found {Found()}");
        }
        return [.. parameters];
    }

    private void ParsePerformanceDirectives()
    {
        while (Current.Kind == PtxTokenKind.Word)
        {
            string word = TakeName();
            switch (word)
            {
                case ".maxntid":
                    function.MaximumThreads = (long)ParseExtent().Count;
                    break;
                case ".reqntid":
                    function.RequiredBlock = ParseExtent();
                    break;
                case ".maxnreg" or ".minnctapersm" or ".maxnctapersm":
                    TakeInteger(0, int.MaxValue);
                    break;
                case ".noreturn":
                    break;
                case ".pragma":
                    next--;
                    SkipStatement();
                    break;
                default:
                    throw Error($"\"{word}\" is no directive of a function");
            }
        }
    }

    private LaunchIndex ParseExtent()
    {
        uint x = (uint)TakeInteger(1, int.MaxValue);
        uint y = AcceptPunctuation(',') ? (uint)TakeInteger(1, int.MaxValue) : 1;
        uint z = AcceptPunctuation(',') ? (uint)TakeInteger(1, int.MaxValue) : 1;
        return new LaunchIndex(x, y, z);
    }

    private void ParseBody(int depth)
    {
        if (depth > MaximumScopes)
            throw Error("Braces are nested too deeply");
        Expect('{');
        while (!AcceptPunctuation('}'))
        {
            if (Current.Kind == PtxTokenKind.End)
                throw Error($"The body of {function.Name} is not closed");
            if (IsPunctuation('{'))
            {
                PtxScope outer = scope;
                scope = new PtxScope(outer);
                ParseBody(depth + 1);
                scope = outer;
            }
            else
            {
                ParseStatement();
            }
        }
    }

    private void ParseStatement()
    {
        if (AcceptPunctuation(';'))
            return;
        if (Current.Kind == PtxTokenKind.Word && text[Current.Start] != '.' && IsLabel())
        {
            ParseLabel();
            return;
        }
        switch (Peek())
        {
            case ".loc":
                ParseLocation();
                break;
            case ".pragma":
                SkipStatement();
                break;
            case ".section":
                SkipSection();
                break;
            case ".reg":
                ParseRegisters();
                break;
            case ".local" or ".shared" or ".param" or ".global" or ".const":
                ParseBodyVariable();
                break;
            default:
                ParseInstruction();
                break;
        }
    }

    private bool IsLabel()
    {
        PtxToken next = tokens[this.next + 1];
        return next.Kind == PtxTokenKind.Punctuation && text[next.Start] == ':';
    }

    private void ParseLabel()
    {
        string label = TakeName();
        Expect(':');
        if (Accept(".branchtargets"))
        {
            List<string> targets = [];
            do
                targets.Add(TakeName());
            while (AcceptPunctuation(','));
            Expect(';');
            scope.BranchTargets[label] = [.. targets];
        }
        else if (IsWord(".callprototype") || IsWord(".calltargets"))
        {
            SkipStatement();
        }
        else if (!scope.Labels.TryAdd(label, function.Instructions.Count))
        {
            throw Error($"The label {label} is declared twice");
        }
    }

    private void ParseLocation()
    {
        Skip();
        int file = (int)TakeInteger(0, int.MaxValue);
        int line = (int)TakeInteger(0, int.MaxValue);
        int column = (int)TakeInteger(0, int.MaxValue);
        // Line 0 is what several lines were merged into: the one before says more.
        location = line > 0 || location.Line == 0 ? new PtxLocation(file, line) : location;
        while (AcceptPunctuation(','))
        {
            string attribute = TakeName();
            if (attribute == "function_name")
            {
                TakeName();
                if (AcceptPunctuation('+'))
                    TakeInteger(0, long.MaxValue);
            }
            else if (attribute == "inlined_at")
            {
                (int File, int Line, int Column) call =
                    ((int)TakeInteger(0, int.MaxValue), (int)TakeInteger(0, int.MaxValue), (int)TakeInteger(0, int.MaxValue));
                // The call may lie in a function that is inlined itself: its own line came before.
                (int File, int Line, int Column) caller = callers.GetValueOrDefault(call, call);
                callers[(file, line, column)] = caller;
                location = new PtxLocation(file, line, caller.File, caller.Line);
            }
            else
            {
                throw Error($"\"{attribute}\" is no attribute of .loc");
            }
        }
    }

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
            string name = TakeName();
            if (AcceptPunctuation('<'))
            {
                scope.Families[name] = (type, (int)TakeInteger(0, MaximumRegisters));
                Expect('>');
            }
            else if (!scope.Registers.TryAdd(name, CreateRegister(name, type)))
            {
                throw Error($"The register {name} is declared twice");
            }
        }
        while (AcceptPunctuation(','));
        Expect(';');
    }

    private PtxRegister CreateRegister(string name, PtxType type)
    {
        if (function.Registers.Count >= MaximumRegisters)
            throw Error($"The function {function.Name} uses more than {MaximumRegisters} registers");
        PtxRegister register = new(name, type, function.Registers.Count);
        function.Registers.Add(register);
        return register;
    }

    private void ParseBodyVariable()
    {
        PtxSpace space = ParseSpace();
        do
        {
            PtxVariable variable = ParseDeclarator(space, false);
            if (space is PtxSpace.Global or PtxSpace.Constant)
                module.Variables[variable.Name] = variable;
            else
                function.Variables.Add(variable);
            scope.Variables[variable.Name] = variable;
        }
        while (AcceptPunctuation(','));
        Expect(';');
    }

    private void SkipStatement()
    {
        while (!AcceptPunctuation(';'))
        {
            if (Current.Kind == PtxTokenKind.End)
                throw Error("A statement is not closed");
            Skip();
        }
    }
}
