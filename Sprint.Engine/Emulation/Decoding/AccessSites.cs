using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// Numbers, in the 13 bits that notes of races have for them, of the operations that access global memory. What an asynchronous copy reads it reads at any time until
/// the wait for it, so each pair of a copy and a wait that has ended it has a number too.
/// </summary>
internal sealed class AccessSites
{
    private readonly Lock gate = new();
    private readonly ushort[] numbers;
    private readonly int[] accesses;
    private readonly List<(int Copy, int Wait)> ended = [];
    private readonly Dictionary<(int Copy, int Wait), uint> endedNumbers = [];

    /// <summary>Numbers a program's operations; what is beyond the last number stays unknown.</summary>
    /// <param name="info">What is known of each operation.</param>
    public AccessSites(InstructionInfo[] info)
    {
        numbers = new ushort[info.Length];
        List<int> accesses = [];
        for (int k = 0; k < info.Length; k++)
        {
            InstructionCost cost = info[k].Cost;
            bool isAccess = cost.BytesRead + cost.BytesWritten > 0 && cost.Space is PtxSpace.Global or PtxSpace.Generic or PtxSpace.Constant;
            if (!isAccess || accesses.Count >= RaceEntry.UnknownSite)
            {
                numbers[k] = (ushort)RaceEntry.UnknownSite;
                continue;
            }
            numbers[k] = (ushort)accesses.Count;
            accesses.Add(k);
        }
        this.accesses = [.. accesses];
    }

    /// <summary>The number of an operation, <see cref="RaceEntry.UnknownSite"/> if it accesses no global memory.</summary>
    public uint this[int operation] => numbers[operation];

    /// <summary>The number of what a copy has read up to a wait; that of the copy where there are no more numbers.</summary>
    public uint EndOf(int copy, int wait)
    {
        lock (gate)
        {
            if (endedNumbers.TryGetValue((copy, wait), out uint number))
                return number;
            number = (uint)(accesses.Length + ended.Count);
            if (number >= RaceEntry.UnknownSite)
                return numbers[copy];
            ended.Add((copy, wait));
            return endedNumbers[(copy, wait)] = number;
        }
    }

    /// <summary>The operation that has a number, -1 if it is unknown, and the wait, -1 if it is no copy that has ended.</summary>
    public (int Access, int Wait) Find(uint number)
    {
        if (number < accesses.Length)
            return (accesses[number], -1);
        lock (gate)
            return number - accesses.Length < ended.Count ? ended[(int)number - accesses.Length] : (-1, -1);
    }
}
