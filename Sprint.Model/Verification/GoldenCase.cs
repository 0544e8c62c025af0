namespace Sprint.Model.Verification;

/// <summary>The result of one case of a golden folder.</summary>
/// <param name="Name">The file, and the case within it where it has several.</param>
/// <param name="Comparisons">Every tensor that was compared.</param>
public sealed record GoldenCase(string Name, IReadOnlyList<TensorComparison> Comparisons)
{
    /// <summary>Why the case could not run, or null.</summary>
    public string? Failure { get; init; }

    /// <summary>Whether it ran and every tensor is within its tolerance.</summary>
    public bool Passes => Failure is null && Comparisons.Count > 0 && Comparisons.All(comparison => comparison.Passes);

    /// <summary>The case under the rule of low precision: each comparison beside the plain implementation's.</summary>
    /// <param name="plain">The same case run by the plain implementation.</param>
    public GoldenCase Beside(GoldenCase plain)
    {
        ArgumentNullException.ThrowIfNull(plain);
        return Failure is not null ? this
            : plain.Failure is { } failure ? this with { Failure = $"the plain implementation: {failure}" }
            : this with { Comparisons = [.. Comparisons.Zip(plain.Comparisons, (own, other) => own.Beside(other with { Error = ErrorOf(other) }))] };

        // Math.Max, unlike Enumerable.Max, keeps NaN.
        double ErrorOf(TensorComparison comparison) => comparison.Trajectory is null
            ? comparison.Error
            : plain.Comparisons.Where(other => other.Trajectory == comparison.Trajectory).Select(other => other.Error).Aggregate(Math.Max);
    }

    /// <summary>The comparison that is nearest to its tolerance, or beyond it.</summary>
    public TensorComparison? Worst => Comparisons.MaxBy(comparison => double.IsNaN(comparison.Error)
        ? double.PositiveInfinity
        : comparison.Error == 0 ? 0 : comparison.Error / comparison.Tolerance);
}
