using System.Globalization;

namespace Sprint.Engine.Operations;

/// <summary>How kept tokens are drawn.</summary>
public enum DropKind
{
    /// <summary>Nothing is dropped.</summary>
    None,

    /// <summary>The same number of tokens is kept in every group of the grid.</summary>
    Structured,

    /// <summary>Tokens are kept uniformly over the whole grid.</summary>
    Random,
}

/// <summary>
/// Which tokens of a grid are kept: for a structured pattern, <see cref="KeptPerGroup"/> of each group of
/// <see cref="GroupSize"/> x <see cref="GroupSize"/> tokens, uniformly at random. Source: SPRINT.md section 3.
/// </summary>
public sealed record DropPattern
{
    /// <summary>The largest group side that a structured ratio is looked for in.</summary>
    public const int MaximumGroupSize = 16;

    private DropPattern(DropKind kind, int gridHeight, int gridWidth, int groupSize, int keptPerGroup, int keptTokens)
    {
        (Kind, GridHeight, GridWidth, GroupSize, KeptPerGroup, KeptTokens) =
            (kind, gridHeight, gridWidth, groupSize, keptPerGroup, keptTokens);
    }

    /// <summary>How kept tokens are drawn.</summary>
    public DropKind Kind { get; }

    /// <summary>Rows of the token grid.</summary>
    public int GridHeight { get; }

    /// <summary>Columns of the token grid.</summary>
    public int GridWidth { get; }

    /// <summary>Side of a group in tokens; 0 unless structured.</summary>
    public int GroupSize { get; }

    /// <summary>Tokens kept in each group; 0 unless structured.</summary>
    public int KeptPerGroup { get; }

    /// <summary>Tokens kept of a sample: M.</summary>
    public int KeptTokens { get; }

    /// <summary>Tokens of a sample: N.</summary>
    public int Tokens => GridHeight * GridWidth;

    /// <summary>Keeps every token.</summary>
    /// <param name="gridHeight">Rows of the token grid.</param>
    /// <param name="gridWidth">Columns of the token grid.</param>
    public static DropPattern None(int gridHeight, int gridWidth) =>
        new(DropKind.None, gridHeight, gridWidth, 0, 0, gridHeight * gridWidth);

    /// <summary>Keeps <c>floor(N (1 - ratio))</c> tokens, anywhere.</summary>
    /// <param name="gridHeight">Rows of the token grid.</param>
    /// <param name="gridWidth">Columns of the token grid.</param>
    /// <param name="ratio">The fraction of tokens dropped, at least 0 and below 1.</param>
    /// <exception cref="SprintException">The ratio is out of range or keeps no token.</exception>
    public static DropPattern Random(int gridHeight, int gridWidth, double ratio)
    {
        CheckRatio(ratio);
        int tokens = gridHeight * gridWidth;

        // As the reference: 64 * (1 - 0.9) is 6.3999..., and a ratio such as 0.75 is exact.
        int kept = (int)(tokens * (1 - ratio));
        if (kept < 1)
        {
            throw new SprintException($"drop ratio {Text(ratio)} keeps none of {tokens} tokens: lower it to at most {Text(LargestRatio(tokens))}");
        }

        return kept == tokens ? None(gridHeight, gridWidth) : new(DropKind.Random, gridHeight, gridWidth, 0, 0, kept);
    }

    /// <summary>
    /// Keeps the same number in each group, with the smallest group side of at least 2 that divides the grid and gives the
    /// ratio exactly: 0.5 -> 2 of 2x2, 0.625 -> 6 of 4x4, 0.75 -> 1 of 2x2, 0.875 -> 2 of 4x4, 0.9375 -> 1 of 4x4.
    /// </summary>
    /// <param name="gridHeight">Rows of the token grid.</param>
    /// <param name="gridWidth">Columns of the token grid.</param>
    /// <param name="ratio">The fraction of tokens dropped, at least 0 and below 1.</param>
    /// <exception cref="SprintException">The ratio is out of range, or no group size gives it on this grid.</exception>
    public static DropPattern Structured(int gridHeight, int gridWidth, double ratio)
    {
        CheckRatio(ratio);
        if (ratio == 0)
        {
            return None(gridHeight, gridWidth);
        }

        for (int side = 2; side <= MaximumGroupSize; side++)
        {
            if (gridHeight % side == 0 && gridWidth % side == 0 && Keeps(side * side, ratio, out int kept))
            {
                return new(DropKind.Structured, gridHeight, gridWidth, side, kept, gridHeight / side * (gridWidth / side) * kept);
            }
        }

        throw new SprintException(
            $"drop ratio {Text(ratio)} cannot be had by structured dropping on a {gridHeight}x{gridWidth} token grid: "
            + $"{Nearest(gridHeight, gridWidth, ratio)}, or mask_type: random takes any ratio");
    }

    private static string Nearest(int gridHeight, int gridWidth, double ratio)
    {
        var ratios = new SortedSet<double>();
        for (int side = 2; side <= MaximumGroupSize; side++)
        {
            if (gridHeight % side == 0 && gridWidth % side == 0)
            {
                for (int kept = 1; kept < side * side; kept++)
                {
                    ratios.Add(1 - ((double)kept / (side * side)));
                }
            }
        }

        return ratios.Count == 0
            ? "no group of 2x2 to 16x16 tokens divides this grid"
            : "the nearest that a group gives are " + string.Join(", ", ratios.OrderBy(r => Math.Abs(r - ratio)).Take(3).Order().Select(Text));
    }

    private static void CheckRatio(double ratio)
    {
        if (!(ratio is >= 0 and < 1))
        {
            throw new SprintException($"drop ratio {Text(ratio)} must be at least 0 and below 1");
        }
    }

    /// <summary>Whether a group gives a ratio, as nearly as <see cref="Text"/> writes it: 8/9 is had by 0.888889.</summary>
    private static bool Keeps(int groupTokens, double ratio, out int kept)
    {
        kept = (int)Math.Round(groupTokens * (1 - ratio));
        return kept >= 1 && Math.Abs(1 - ((double)kept / groupTokens) - ratio) < 1e-6;
    }

    /// <summary>The largest ratio of six digits that keeps a token: rounding may take the last one at 1 - 1/N itself.</summary>
    private static double LargestRatio(int tokens)
    {
        double ratio = Math.Floor((1 - (1.0 / tokens)) * 1e6) / 1e6;
        return (int)(tokens * (1 - ratio)) >= 1 ? ratio : Math.Round(ratio - 1e-6, 6);
    }

    private static string Text(double ratio) => ratio.ToString("0.######", CultureInfo.InvariantCulture);
}
