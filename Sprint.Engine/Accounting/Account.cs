using System.Diagnostics;

namespace Sprint.Engine;

/// <summary>
/// Counts what runs on a device: floating-point operations and bytes by pass, part of the model and operation, and the
/// memory held. Each operation reports itself when it is dispatched, so the counts are of what ran, not of a formula beside it.
/// Not for use from several threads at once.
/// </summary>
public sealed class Account
{
    private readonly Dictionary<AccountKey, AccountEntry> entries = [];
    private readonly AccountTotal[] passes = new AccountTotal[Enum.GetValues<ComputePass>().Length];
    private readonly long[] liveBytes = new long[Enum.GetValues<MemoryCategory>().Length];
    private readonly long[] peakBytes = new long[Enum.GetValues<MemoryCategory>().Length];
    private readonly List<(AccountEntry Entry, TimeMark Start)> marks = [];
    private readonly Device? device;
    private AccountEntry? timedEntry;
    private long timedSince;

    /// <summary>Creates an account of no device.</summary>
    public Account()
    {
    }

    /// <summary>Creates a device's account.</summary>
    /// <param name="device">The device, whose queue is marked where it works while the host goes on.</param>
    internal Account(Device device) => this.device = device;

    /// <summary>The pass that operations dispatched now belong to.</summary>
    public ComputePass Pass { get; set; }

    /// <summary>The part of the model that operations dispatched now belong to, e.g. <c>encoder</c>; empty outside any.</summary>
    public string Part { get; set; } = "";

    /// <summary>
    /// Whether time is attributed to operations: the time from one dispatch to the next goes to the first of them.
    /// On a device that works while the host goes on, it is the device's time between marks in its queue, with its idle time where the host is too slow;
    /// work that is replayed dispatches nothing and gets no time.
    /// </summary>
    public bool MeasuresTime { get; set; }

    /// <summary>Bytes held now in all categories but <see cref="MemoryCategory.Workspace"/>.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>
    /// The most bytes held at once in all categories but <see cref="MemoryCategory.Workspace"/> since the last <see cref="ResetPeaks"/>.
    /// </summary>
    public long PeakBytes { get; private set; }

    /// <summary>What ran, by pass, part and operation, in the order of first appearance.</summary>
    public IReadOnlyDictionary<AccountKey, AccountEntry> Entries => entries;

    /// <summary>Books what is dispatched to a pass and a part until the scope ends.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="part">The part.</param>
    /// <returns>What ends the scope when it is disposed.</returns>
    public Scope Enter(ComputePass pass, string part)
    {
        var scope = new Scope(this, Pass, Part);
        (Pass, Part) = (pass, part);
        return scope;
    }

    /// <summary>The sum over all entries that a condition selects.</summary>
    /// <param name="condition">Which entries to add; null for all.</param>
    public AccountTotal Total(Func<AccountKey, bool>? condition = null)
    {
        var total = default(AccountTotal);
        foreach ((AccountKey key, AccountEntry entry) in entries)
        {
            if (condition is null || condition(key))
            {
                total += entry.Total;
            }
        }

        return total;
    }

    /// <summary>
    /// The sum over one pass, kept as it grows: what ran between two readings is their difference, without a reset. A sum of
    /// floating-point operations passes 2^63 after some hours of a large GPU; differences stay exact beyond.
    /// </summary>
    /// <param name="pass">The pass.</param>
    public AccountTotal TotalOf(ComputePass pass) => passes[(int)pass];

    /// <summary>Bytes held now in one category.</summary>
    /// <param name="category">The category.</param>
    public long LiveBytesOf(MemoryCategory category) => liveBytes[(int)category];

    /// <summary>The most bytes held at once in one category since the last <see cref="ResetPeaks"/>.</summary>
    /// <param name="category">The category.</param>
    public long PeakBytesOf(MemoryCategory category) => peakBytes[(int)category];

    /// <summary>Forgets the counted operations; memory held and its peaks stay.</summary>
    public void ResetOperations()
    {
        entries.Clear();
        Array.Clear(passes);
        DropMarks();
        timedEntry = null;
    }

    /// <summary>Sets each peak to what is held now.</summary>
    public void ResetPeaks()
    {
        liveBytes.CopyTo(peakBytes, 0);
        PeakBytes = LiveBytes;
    }

    /// <summary>Ends the time of the last dispatched operation, where <see cref="MeasuresTime"/>. Waits for the device.</summary>
    public void StopTime()
    {
        if (marks.Count > 0)
        {
            using TimeMark end = device!.Mark();
            device.Synchronize();
            for (int i = 0; i < marks.Count; i++)
            {
                (AccountEntry entry, TimeMark start) = marks[i];
                entry.Ticks += (long)((i + 1 < marks.Count ? marks[i + 1].Start : end).SecondsSince(start) * Stopwatch.Frequency);
            }

            DropMarks();
        }

        timedEntry?.Ticks += Stopwatch.GetTimestamp() - timedSince;
        timedEntry = null;
    }

    /// <summary>Puts pass and part back to what they were before <see cref="Enter"/>.</summary>
    public readonly ref struct Scope
    {
        private readonly Account account;
        private readonly ComputePass pass;
        private readonly string part;

        internal Scope(Account account, ComputePass pass, string part)
        {
            this.account = account;
            this.pass = pass;
            this.part = part;
        }

        /// <summary>Ends the scope.</summary>
        public void Dispose() => (account.Pass, account.Part) = (pass, part);
    }

    /// <summary>What has been counted until now.</summary>
    internal AccountSnapshot Snapshot() => new(entries.ToDictionary(static entry => entry.Key, static entry => entry.Value.Total));

    /// <summary>Counts once more what was counted once.</summary>
    internal void Apply(AccountChange change)
    {
        foreach ((AccountKey key, AccountTotal counted) in change.Entries)
        {
            Count(key, counted);
        }
    }

    internal void Report(in OperationCost cost)
    {
        AccountEntry entry = Count(new AccountKey(Pass, Part, cost.Operation), AccountTotal.Of(cost));
        if (MeasuresTime && device is { IsAsynchronous: true })
        {
            marks.Add((entry, device.Mark()));
        }
        else if (MeasuresTime)
        {
            StopTime();
            timedEntry = entry;
            timedSince = Stopwatch.GetTimestamp();
        }
    }

    private void DropMarks()
    {
        foreach ((_, TimeMark start) in marks)
        {
            start.Dispose();
        }

        marks.Clear();
    }

    private AccountEntry Count(AccountKey key, in AccountTotal counted)
    {
        if (!entries.TryGetValue(key, out AccountEntry? entry))
        {
            entries.Add(key, entry = new AccountEntry());
        }

        entry.Add(counted);
        passes[(int)key.Pass] += counted;
        return entry;
    }

    internal void Allocated(MemoryCategory category, long bytes)
    {
        int index = (int)category;
        liveBytes[index] += bytes;
        peakBytes[index] = Math.Max(peakBytes[index], liveBytes[index]);
        if (category != MemoryCategory.Workspace)
        {
            LiveBytes += bytes;
            PeakBytes = Math.Max(PeakBytes, LiveBytes);
        }
    }

    internal void Freed(MemoryCategory category, long bytes)
    {
        liveBytes[(int)category] -= bytes;
        LiveBytes -= category == MemoryCategory.Workspace ? 0 : bytes;
    }
}
