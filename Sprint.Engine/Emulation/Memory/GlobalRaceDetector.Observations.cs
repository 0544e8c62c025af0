namespace Sprint.Engine.Emulation.Memory;

/// <summary>
/// What atomic operations have seen of others that were noted after them. An access is noted before it is carried out, and blocks on other workers do both meanwhile: who is noted
/// last at a word need not be who comes to it last.
/// </summary>
internal sealed unsafe partial class GlobalRaceDetector
{
    private readonly Observation[] observations = new Observation[32];

    /// <summary>The bytes of a warp's last atomic operation, and the atomic or volatile accesses of other warps that came between its being noted and its end.</summary>
    private readonly record struct Observation(ulong Start, ulong End, ulong Earlier, ulong Latest);

    /// <summary>A warp has read and written a number atomically, which it noted before.</summary>
    public void Observe(int warp, ulong address, int bytes)
    {
        observations[warp] = default;
        if (launch.Memory.Find(address) is not { Races: { } shadow } allocation || allocation.RaceNumber != launchNumber)
            return;
        long offset = (long)(address - allocation.Start);
        RaceRecord* line = shadow.Line(offset);
        uint state = RaceShadow.Lock(line);
        RaceRecord* record = RaceShadow.Find(line, state, (int)offset & RaceShadow.LineBytes - 1);
        ulong earlier = 0, latest = 0;
        if (record is not null)
            (earlier, latest) = (record->Entries[4], record->Entries[5]);
        RaceShadow.Unlock(line, state);
        if (latest != 0 && (RaceEntry.Block(latest) != Block || RaceEntry.Warp(latest) != warp))
            observations[warp] = new Observation(address, address + (ulong)bytes, earlier, latest);
    }

    private bool HasSeen(ulong entry, RaceRecord* record)
    {
        Observation seen = observations[warp];
        return (entry == seen.Latest || entry == seen.Earlier)
            && lineAddress + (ulong)record->First >= seen.Start && lineAddress + (ulong)record->End <= seen.End;
    }
}
