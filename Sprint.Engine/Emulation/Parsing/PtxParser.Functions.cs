namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Functions: heads, performance directives, and the statements of bodies that are no instructions.</summary>
internal sealed partial class PtxParser
{
    private const int MaximumScopes = 64;

    private readonly Dictionary<(int File, int Line, int Column), (int File, int Line, int Column)> _callers = [];
    private PtxLocation _location;
    private PtxFunction _function = null!;
    private PtxScope _scope = null!;

    private void ParseFunction()
    {
        int line = Current.Line;
        bool isKernel = IsWord(".entry");
        Skip();
        PtxVariable[] results = !isKernel && IsPunctuation('(') ? ParseParameters() : [];
        string name = TakeName();
        PtxVariable[] parameters = IsPunctuation('(') ? ParseParameters() : [];
        _location = default;
        _function = new PtxFunction { Name = name, IsKernel = isKernel, Parameters = parameters, Results = results, Line = line };
        _scope = _function.Scope;
        foreach (PtxVariable variable in results.Concat(parameters))
        {
            if (variable.Name != "_" && !_scope.Variables.TryAdd(variable.Name, variable))
                throw Error($"The parameter {variable.Name} of {name} is declared twice");
        }
        ParsePerformanceDirectives();
        if (!AcceptPunctuation(';'))
        {
            _function.HasBody = true;
            ParseBody(0);
        }
        if (!_module.Functions.TryGetValue(name, out PtxFunction? earlier) || !earlier.HasBody)
            _module.Functions[name] = _function;
        else if (_function.HasBody)
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
                    _function.MaximumThreads = (long)ParseExtent().Count;
                    break;
                case ".reqntid":
                    _function.RequiredBlock = ParseExtent();
                    break;
                case ".maxnreg" or ".minnctapersm" or ".maxnctapersm":
                    TakeInteger(0, int.MaxValue);
                    break;
                case ".noreturn":
                    break;
                case ".pragma":
                    _next--;
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
                throw Error($"The body of {_function.Name} is not closed");
            if (IsPunctuation('{'))
            {
                PtxScope outer = _scope;
                _scope = new PtxScope(outer);
                ParseBody(depth + 1);
                _scope = outer;
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
        if (Current.Kind == PtxTokenKind.Word && _text[Current.Start] != '.' && IsLabel())
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
        PtxToken next = _tokens[_next + 1];
        return next.Kind == PtxTokenKind.Punctuation && _text[next.Start] == ':';
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
            _scope.BranchTargets[label] = [.. targets];
        }
        else if (IsWord(".callprototype") || IsWord(".calltargets"))
        {
            SkipStatement();
        }
        else if (!_scope.Labels.TryAdd(label, _function.Instructions.Count))
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
        _location = new PtxLocation(file, line);
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
                (int File, int Line, int Column) caller = _callers.GetValueOrDefault(call, call);
                _callers[(file, line, column)] = caller;
                _location = new PtxLocation(file, line, caller.File, caller.Line);
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
                _scope.Families[name] = (type, (int)TakeInteger(0, MaximumRegisters));
                Expect('>');
            }
            else if (!_scope.Registers.TryAdd(name, CreateRegister(name, type)))
            {
                throw Error($"The register {name} is declared twice");
            }
        }
        while (AcceptPunctuation(','));
        Expect(';');
    }

    private PtxRegister CreateRegister(string name, PtxType type)
    {
        if (_function.Registers.Count >= MaximumRegisters)
            throw Error($"The function {_function.Name} uses more than {MaximumRegisters} registers");
        PtxRegister register = new(name, type, _function.Registers.Count);
        _function.Registers.Add(register);
        return register;
    }

    private void ParseBodyVariable()
    {
        PtxSpace space = ParseSpace();
        do
        {
            PtxVariable variable = ParseDeclarator(space, false);
            if (space is PtxSpace.Global or PtxSpace.Constant)
                _module.Variables[variable.Name] = variable;
            else
                _function.Variables.Add(variable);
            _scope.Variables[variable.Name] = variable;
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
