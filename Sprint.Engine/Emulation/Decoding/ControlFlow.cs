using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Basic blocks of a function, who follows whom, and the order in which groups of diverged lanes run them.</summary>
internal sealed class ControlFlow
{
    private const int MaximumOrderedBlocks = 4000;

    private readonly PtxFunction function;
    private readonly bool[] leaders;

    public ControlFlow(PtxFunction function)
    {
        this.function = function;
        int count = function.Instructions.Count;
        leaders = new bool[count + 1];
        BlockOf = new int[count + 1];
        FindLeaders();
        for (int k = 0; k < count; k++)
        {
            if (leaders[k])
                Starts.Add(k);
            BlockOf[k] = Starts.Count - 1;
        }
        BlockOf[count] = Starts.Count;
        Successors = new int[Starts.Count][];
        for (int block = 0; block < Starts.Count; block++)
            Successors[block] = FindSuccessors(block);
        Order = FindOrder();
    }

    /// <summary>First instruction of every block.</summary>
    public List<int> Starts { get; } = [];

    /// <summary>Block of every instruction.</summary>
    public int[] BlockOf { get; }

    public int[][] Successors { get; }

    /// <summary>Position of every block in a weak topological order: loop bodies come before what follows the loop.</summary>
    public int[] Order { get; }

    public int End(int block) => block + 1 < Starts.Count ? Starts[block + 1] : function.Instructions.Count;

    /// <summary>Instructions at which lanes meet or part: they stand alone in their block.</summary>
    public static bool IsSynchronizing(PtxInstruction instruction) => instruction.Name switch
    {
        "bar" or "barrier" or "shfl" or "vote" or "match" or "redux" or "mma" or "wmma" or "ldmatrix" or "call" => true,
        _ => false,
    };

    /// <summary>Number of the instruction that a label of the instruction's scope stands before.</summary>
    public static int FindLabel(PtxInstruction instruction, string label)
    {
        for (PtxScope? scope = instruction.Scope; scope is not null; scope = scope.Parent)
        {
            if (scope.Labels.TryGetValue(label, out int target))
                return target;
        }
        throw new EmulationException(EmulationFault.Syntax, $"The label {label} is not declared", new EmulationSite(PtxLine: instruction.Line));
    }

    /// <summary>Targets of a branch.</summary>
    public static string[] Targets(PtxInstruction instruction)
    {
        if (instruction.Name == "bra")
            return instruction.Operands is [{ Kind: PtxOperandKind.Symbol } target] ? [target.Name!] : throw Malformed(instruction);
        if (instruction.Operands.Length != 2 || instruction.Operands[1].Kind != PtxOperandKind.Symbol)
            throw Malformed(instruction);
        for (PtxScope? scope = instruction.Scope; scope is not null; scope = scope.Parent)
        {
            if (scope.BranchTargets.TryGetValue(instruction.Operands[1].Name!, out string[]? targets))
                return targets;
        }
        throw new EmulationException(EmulationFault.Syntax, $"The branch table {instruction.Operands[1].Name} is not declared", new EmulationSite(PtxLine: instruction.Line));
    }

    private static EmulationException Malformed(PtxInstruction instruction)
        => new(EmulationFault.Syntax, $"The branch has no target that can be followed: {instruction.Text}", new EmulationSite(PtxLine: instruction.Line));

    private static bool Ends(PtxInstruction instruction) => instruction.Name is "bra" or "brx" or "ret" or "exit";

    private void FindLeaders()
    {
        List<PtxInstruction> instructions = function.Instructions;
        leaders[0] = true;
        for (int k = 0; k < instructions.Count; k++)
        {
            PtxInstruction instruction = instructions[k];
            if (IsSynchronizing(instruction))
                leaders[k] = leaders[k + 1] = true;
            if (!Ends(instruction))
                continue;
            leaders[k + 1] = true;
            if (instruction.Name is "bra" or "brx")
            {
                foreach (string target in Targets(instruction))
                    leaders[FindLabel(instruction, target)] = true;
            }
        }
    }

    private int[] FindSuccessors(int block)
    {
        int end = End(block);
        PtxInstruction last = function.Instructions[end - 1];
        List<int> successors = [];
        if (last.Name is "bra" or "brx")
        {
            foreach (string target in Targets(last))
                successors.Add(BlockOf[FindLabel(last, target)]);
        }
        bool falls = !Ends(last) || last.Guard is not null;
        if (falls)
            successors.Insert(0, block + 1);
        return [.. successors.Where(successor => successor < Starts.Count).Distinct()];
    }

    private int[] FindOrder()
    {
        int[] order = new int[Starts.Count];
        for (int block = 0; block < order.Length; block++)
            order[block] = block;
        if (order.Length == 0 || order.Length > MaximumOrderedBlocks)
            return order;
        List<int> reversed = [];
        new WeakTopologicalOrder(Successors).Visit(0, reversed);
        int position = 0;
        for (int k = reversed.Count - 1; k >= 0; k--)
            order[reversed[k]] = position++;
        return order;
    }

    /// <summary>F. Bourdoncle, "Efficient chaotic iteration strategies with widenings", 1993.</summary>
    private sealed class WeakTopologicalOrder(int[][] successors)
    {
        private readonly int[] number = new int[successors.Length];
        private readonly Stack<int> stack = new();
        private int count;

        public int Visit(int vertex, List<int> reversed)
        {
            stack.Push(vertex);
            number[vertex] = ++count;
            int head = count;
            bool loop = false;
            foreach (int successor in successors[vertex])
            {
                int minimum = number[successor] == 0 ? Visit(successor, reversed) : number[successor];
                if (minimum <= head)
                {
                    head = minimum;
                    loop = true;
                }
            }
            if (head != number[vertex])
                return head;
            number[vertex] = int.MaxValue;
            int element = stack.Pop();
            if (loop)
            {
                while (element != vertex)
                {
                    number[element] = 0;
                    element = stack.Pop();
                }
                foreach (int successor in successors[vertex])
                {
                    if (number[successor] == 0)
                        Visit(successor, reversed);
                }
            }
            reversed.Add(vertex);
            return head;
        }
    }
}
