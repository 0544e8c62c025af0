using System.Runtime.CompilerServices;

namespace Sprint.Engine.Emulation.Memory;

/// <summary>A variable in shared memory.</summary>
/// <param name="Name">Its name in the source.</param>
/// <param name="Place">Its address in the emulator, gaps before it counted.</param>
/// <param name="Bytes">Its size; 0 for dynamic shared memory that the launch does not have.</param>
/// <param name="Offset">Its address without the gaps.</param>
internal sealed record SharedVariable(string Name, int Place, int Bytes, int Offset);

/// <summary>What a variable in shared memory covers; nothing by default.</summary>
internal readonly struct SharedRange(int start, int length)
{
    private readonly uint start = (uint)start;
    private readonly uint length = (uint)length;

    public ulong Start => start;

    /// <summary>Its bytes.</summary>
    public ulong Length => length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(ulong address, int bytes)
    {
        ulong offset = address - start;
        return offset < length && length - offset >= (ulong)bytes;
    }
}

/// <summary>Which variable of a launch's shared memory lies where. Between two lie 128 bytes or more that are nobody's, so a line of 128 bytes has to do with one at most.</summary>
internal sealed class SharedMap
{
    private const int LineShift = 7;

    private readonly SharedVariable[] variables;
    private readonly SharedRange[] lines;

    /// <param name="variables">The variables in order of address.</param>
    public SharedMap(SharedVariable[] variables)
    {
        this.variables = variables;
        Size = variables.Max(variable => variable.Bytes > 0 ? variable.Place + variable.Bytes : (int?)0) ?? 0;
        lines = new SharedRange[(Size + (1 << LineShift) - 1) >> LineShift];
        foreach (SharedVariable variable in variables.Where(variable => variable.Bytes > 0))
            lines.AsSpan((variable.Place >> LineShift)..((variable.Place + variable.Bytes - 1 >> LineShift) + 1)).Fill(new SharedRange(variable.Place, variable.Bytes));
    }

    /// <summary>Bytes of shared memory in the emulator, gaps counted.</summary>
    public int Size { get; }

    /// <summary>The variable that an address lies in, or near.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SharedRange Find(ulong address)
    {
        SharedRange[] lines = this.lines;
        ulong line = address >> LineShift;
        return line < (ulong)lines.Length ? lines[line] : default;
    }

    /// <summary>"byte 8 of tile", of an address inside a variable.</summary>
    public string Describe(ulong address)
    {
        SharedVariable variable = Array.FindLast(variables, variable => (ulong)variable.Place <= address)!;
        return $"byte {address - (ulong)variable.Place} of {variable.Name}";
    }

    /// <summary>The address that it would be without gaps.</summary>
    public ulong WithoutGaps(ulong address)
    {
        SharedVariable variable = Array.FindLast(variables, variable => (ulong)variable.Place <= address)!;
        return address - (ulong)variable.Place + (ulong)variable.Offset;
    }

    /// <summary>"which ends 4 bytes behind a (128 bytes), before b", of an access that is inside no variable.</summary>
    public string DescribeOutside(ulong address, int bytes)
    {
        if (variables.Length == 0)
            return "of which the block has none";
        // A 32-bit address before the first byte is one below 2^32.
        long place = address is > int.MaxValue and <= uint.MaxValue ? (int)address : (long)address;
        int next = Array.FindIndex(variables, variable => variable.Place > place);
        next = next < 0 ? variables.Length : next;
        long behind = next > 0 ? place + bytes - variables[next - 1].Place - variables[next - 1].Bytes : long.MaxValue;
        long before = next < variables.Length ? variables[next].Place - place : long.MaxValue;
        return behind <= before
            ? $"which ends {behind} bytes behind {Name(next - 1)}" + (next < variables.Length ? $", before {variables[next].Name}" : "")
            : $"which begins {before} bytes before {Name(next)}" + (next > 0 ? $", behind {variables[next - 1].Name}" : "");
    }

    private string Name(int variable) => $"{variables[variable].Name} ({variables[variable].Bytes} bytes)";
}
