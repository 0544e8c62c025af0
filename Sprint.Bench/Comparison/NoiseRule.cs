using Sprint.Bench.Results;

namespace Sprint.Bench.Comparison;

/// <summary>What became of a figure from one run to another.</summary>
internal enum Verdict
{
    /// <summary>The same, or different by no more than noise.</summary>
    Same,

    /// <summary>Better beyond noise.</summary>
    Better,

    /// <summary>Worse beyond noise.</summary>
    Worse,

    /// <summary>Only in the new run.</summary>
    Added,

    /// <summary>Only in the old run.</summary>
    Missing,

    /// <summary>Measured on other machines or devices: not judged.</summary>
    Elsewhere,
}

/// <summary>
/// When a change is more than noise. A count does not vary: any change is one, more being worse. Of measurements the medians are compared: a change counts where it is more than
/// a floor, as runs some minutes apart drift by a little even on a quiet machine, and more than some standard errors of the difference, found from the quartiles of both runs.
/// </summary>
/// <param name="Floor">The least change that counts, as a fraction of the old value.</param>
/// <param name="Errors">The least change that counts, in standard errors of the difference.</param>
internal sealed record NoiseRule(double Floor = 0.03, double Errors = 4)
{
    /// <summary>The least change of a measurement that counts, as a fraction of the old value.</summary>
    /// <param name="before">The old figure.</param>
    /// <param name="after">The new figure.</param>
    public double Threshold(Measurement before, Measurement after)
    {
        double error = Math.Sqrt(Square(before.Spread?.StandardError ?? 0) + Square(after.Spread?.StandardError ?? 0));
        return before.Better == Better.Same ? 0 : Math.Max(Floor, Errors * error / Math.Abs(before.Value));

        static double Square(double value) => value * value;
    }

    /// <summary>Judges a figure.</summary>
    /// <param name="before">The old figure.</param>
    /// <param name="after">The new figure, of the same name.</param>
    public Verdict Judge(Measurement before, Measurement after)
    {
        double change = Change(before, after);
        if (Math.Abs(change) <= Threshold(before, after))
            return Verdict.Same;

        // What is no number any more is worse, whatever was better.
        return before.Better == Better.Higher ? (change > 0 ? Verdict.Better : Verdict.Worse) : (change < 0 ? Verdict.Better : Verdict.Worse);
    }

    /// <summary>The change as a fraction of the old value.</summary>
    /// <param name="before">The old figure.</param>
    /// <param name="after">The new figure.</param>
    public static double Change(Measurement before, Measurement after) =>
        before.Value == after.Value ? 0 : (after.Value - before.Value) / Math.Abs(before.Value);
}
