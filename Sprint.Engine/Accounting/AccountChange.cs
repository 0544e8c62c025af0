namespace Sprint.Engine;

/// <summary>What an account had counted at a moment.</summary>
internal sealed class AccountSnapshot(IReadOnlyDictionary<AccountKey, AccountTotal> totals)
{
    /// <summary>What was counted since.</summary>
    internal AccountChange ChangeTo(Account account) => new(
        [.. account.Entries
            .Select(entry => (entry.Key, Total: entry.Value.Total - totals.GetValueOrDefault(entry.Key)))
            .Where(static entry => entry.Total != default)]);
}

/// <summary>What work counts that is run again without being dispatched again.</summary>
internal sealed class AccountChange((AccountKey Key, AccountTotal Total)[] entries)
{
    /// <summary>Nothing.</summary>
    internal static AccountChange None { get; } = new([]);

    internal ReadOnlySpan<(AccountKey Key, AccountTotal Total)> Entries => entries;

    /// <summary>What takes the change back.</summary>
    internal AccountChange Reversed() => new([.. entries.Select(static entry => (entry.Key, default(AccountTotal) - entry.Total))]);
}
