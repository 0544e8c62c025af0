using System.Diagnostics.CodeAnalysis;

namespace Sprint.Engine;

/// <summary>The lengths of a tensor's dimensions, outermost first: up to five, row-major, held without an allocation.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The most dimensions that a shape can have.</summary>
    public const int MaximumRank = 5;

    private readonly int length0;
    private readonly int length1;
    private readonly int length2;
    private readonly int length3;
    private readonly int length4;

    /// <summary>Creates a shape.</summary>
    /// <param name="lengths">One to five lengths, each at least 0.</param>
    /// <exception cref="ArgumentException">There is no length, there are more than five, or one is negative.</exception>
    public Shape(params ReadOnlySpan<int> lengths)
    {
        if (lengths.Length is 0 or > MaximumRank)
        {
            throw new ArgumentException($"a shape has 1 to {MaximumRank} dimensions, not {lengths.Length}", nameof(lengths));
        }

        foreach (int length in lengths)
        {
            if (length < 0)
            {
                throw new ArgumentException($"a dimension cannot be {length} long", nameof(lengths));
            }
        }

        Rank = lengths.Length;
        length0 = lengths[0];
        length1 = lengths.Length > 1 ? lengths[1] : 1;
        length2 = lengths.Length > 2 ? lengths[2] : 1;
        length3 = lengths.Length > 3 ? lengths[3] : 1;
        length4 = lengths.Length > 4 ? lengths[4] : 1;
    }

    /// <summary>The number of dimensions, 1 to 5; 0 only for <c>default</c>.</summary>
    public int Rank { get; }

    /// <summary>The number of elements.</summary>
    public long Count => Rank == 0 ? 0 : (long)length0 * length1 * length2 * length3 * length4;

    /// <summary>The length of the innermost dimension: the elements of a row.</summary>
    public int RowLength => this[Rank - 1];

    /// <summary>The number of rows: the product of all lengths but the innermost.</summary>
    public long Rows => RowLength == 0 ? 0 : Count / RowLength;

    /// <summary>The length of one dimension.</summary>
    /// <param name="dimension">0 is the outermost.</param>
    /// <exception cref="ArgumentOutOfRangeException">The shape has no such dimension.</exception>
    public int this[int dimension]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(dimension, Rank);
            return dimension switch
            {
                0 => length0,
                1 => length1,
                2 => length2,
                3 => length3,
                _ => length4,
            };
        }
    }

    /// <summary>Whether two shapes have the same lengths.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether two shapes differ.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>The same shape with another innermost length.</summary>
    /// <param name="rowLength">The new innermost length.</param>
    public Shape WithRowLength(int rowLength)
    {
        Span<int> lengths = stackalloc int[Rank];
        for (int i = 0; i < Rank; i++)
        {
            lengths[i] = this[i];
        }

        lengths[^1] = rowLength;
        return new Shape(lengths);
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) =>
        Rank == other.Rank && length0 == other.length0 && length1 == other.length1 && length2 == other.length2
        && length3 == other.length3 && length4 == other.length4;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, length0, length1, length2, length3, length4);

    /// <summary>The lengths in brackets: <c>[32, 64, 128]</c>.</summary>
    public override string ToString()
    {
        var lengths = new int[Rank];
        for (int i = 0; i < Rank; i++)
        {
            lengths[i] = this[i];
        }

        return $"[{string.Join(", ", lengths)}]";
    }
}
