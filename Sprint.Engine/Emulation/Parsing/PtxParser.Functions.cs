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
        int head = next;
        int line = Current.Line;
        bool isKernel = IsWord(".entry");
        Skip();
        int results = next;
        if (!isKernel && IsPunctuation('('))
            SkipParentheses();
        int name = next;
        location = default;
        function = new PtxFunction { Name = TakeName(), IsKernel = isKernel, Line = line };
        scope = function.Scope;
        try
        {
            next = results;
            function.Results = next < name ? ParseParameters() : [];
            Skip();
            function.Parameters = IsPunctuation('(') ? ParseParameters() : [];
            ParsePerformanceDirectives();
            if (!AcceptPunctuation(';'))
                ParseBody();
        }
        catch (EmulationException refusal) when (refusal.Fault == EmulationFault.Unsupported)
        {
            // What one function asks for and does not get is no reason to refuse the others.
            function.Refusal = new EmulationException(refusal.Fault, refusal.Detail, new EmulationSite(module.Name, isKernel ? function.Name : null, function.Name, PtxLine: refusal.PtxLine));
            next = head;
            SkipFunction();
        }
        AddFunction();
    }

    private void AddFunction()
    {
        string name = function.Name;
        if (module.Variables.TryGetValue(name, out PtxVariable? variable))
            throw DeclaredTwice(name, variable.Line, function.Line);
        if (!module.Functions.TryGetValue(name, out PtxFunction? earlier))
        {
            module.Functions[name] = function;
            return;
        }
        if (earlier.IsKernel != function.IsKernel || (earlier.HasBody && function.HasBody))
            throw DeclaredTwice(name, earlier.Line, function.Line);
        if (earlier.Refusal is null && function.Refusal is null && !SizesOf(earlier).SequenceEqual(SizesOf(function)))
            throw Error($"The function {name} has other parameters than on line {earlier.Line}", line: function.Line);
        if (!earlier.HasBody)
            module.Functions[name] = function;
    }

    private static IEnumerable<long> SizesOf(PtxFunction function) => [.. function.Results.Select(result => result.Size), -1, .. function.Parameters.Select(parameter => parameter.Size)];

    private void SkipFunction()
    {
        while (!IsPunctuation('{'))
        {
            if (AcceptPunctuation(';'))
                return;
            SkipToken($"The head of {function.Name} is not closed");
        }
        function.HasBody = true;
        int depth = 0;
        do
        {
            depth += IsPunctuation('{') ? 1 : IsPunctuation('}') ? -1 : 0;
            SkipToken($"The body of {function.Name} is not closed");
        }
        while (depth > 0);
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

    private void ParseBody()
    {
        function.HasBody = true;
        foreach (PtxVariable variable in function.Results.Concat(function.Parameters).Where(variable => variable.Name != "_"))
        {
            Declare(variable.Name, variable.Line);
            scope.Variables.Add(variable.Name, variable);
        }
        ParseBlock(0);
    }

    private void ParseBlock(int depth)
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
                ParseBlock(depth + 1);
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
        int line = Current.Line;
        string label = TakeName();
        Expect(':');
        Declare(label, line);
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
        else
        {
            scope.Labels.Add(label, function.Instructions.Count);
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

    private void ParseBodyVariable()
    {
        PtxSpace space = ParseSpace();
        do
        {
            PtxVariable variable = ParseDeclarator(space, false);
            Declare(variable.Name, variable.Line);
            scope.Variables.Add(variable.Name, variable);
            if (space is not (PtxSpace.Global or PtxSpace.Constant))
                function.Variables.Add(variable);
            else if (!module.Variables.TryAdd(variable.Name, variable))
                throw Error($"The variable {variable.Name} has the name of another on line {module.Variables[variable.Name].Line}, and the emulator keeps global and constant variables of functions apart by name", EmulationFault.Unsupported, variable.Line);
        }
        while (AcceptPunctuation(','));
        Expect(';');
    }

    private void SkipStatement()
    {
        while (!AcceptPunctuation(';'))
        {
            SkipToken("A statement is not closed");
        }
    }
}
