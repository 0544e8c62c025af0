using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Products of matrices kept as tiles of 16 x 16 floats (1 KiB, row-major inside), small enough to live in cache.
/// One call makes eight rows and one to three tile columns of C, C += A B or C = A B, with all of C in registers:
/// for each step of the inner dimension eight broadcast elements of A meet one row of B. Each element of C is one chain of fused
/// multiply-adds over the inner dimension in rising order, continued from memory when accumulating, so that its bits depend neither
/// on the width of the machine's vectors nor on how a caller cuts the matrices into blocks.
/// </summary>
/// <remarks>
/// A run is the sixteen (in the last run: fewer) steps of the inner dimension inside one tile. Between runs A moves by
/// <c>aSkip</c> and B by <c>bSkip</c> floats. Tiles of C in a row are contiguous.
/// </remarks>
internal static unsafe partial class TileProduct
{
    private const int Lanes = VectorMath.Lanes;
    private const int TileSize = VectorRows.TileSize;

    /// <summary>How the left operand is read.</summary>
    internal interface ILeftOperand
    {
        /// <summary>Floats from one of the eight rows to the next.</summary>
        static abstract int Row { get; }

        /// <summary>Floats from one step of the inner dimension to the next.</summary>
        static abstract int Step { get; }
    }

    /// <summary>Rows of A are rows of its tiles.</summary>
    internal readonly struct AsStored : ILeftOperand
    {
        /// <inheritdoc/>
        public static int Row => Lanes;

        /// <inheritdoc/>
        public static int Step => 1;
    }

    /// <summary>Rows of A are columns of its tiles.</summary>
    internal readonly struct Transposed : ILeftOperand
    {
        /// <inheritdoc/>
        public static int Row => 1;

        /// <inheritdoc/>
        public static int Step => Lanes;
    }

    /// <summary>Tile columns to compute next when so many are left: three at most, four as two and two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int NextWidth(int columns) => columns == 4 ? 2 : Math.Min(columns, 3);

    /// <summary>Computes eight rows of <paramref name="width"/> tile columns.</summary>
    /// <param name="a">First element of the eight rows of A.</param>
    /// <param name="aSkip">Floats from one run's end to the next run's start in A, past the <c>16 * Step</c> of a full run.</param>
    /// <param name="b">First element of B.</param>
    /// <param name="bColumn">Floats from one tile column of B to the next.</param>
    /// <param name="bSkip">Floats from one run's end to the next run's start in B, past the 256 of a full run.</param>
    /// <param name="c">First element of the eight rows of C.</param>
    /// <param name="width">Tile columns, 1 to 3.</param>
    /// <param name="inner">Length of the inner dimension, at least 1.</param>
    /// <param name="accumulate">Whether to add to C rather than to overwrite it.</param>
    /// <typeparam name="TLeft">How A is read.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Run<TLeft>(
        float* a, nint aSkip, float* b, nint bColumn, nint bSkip, float* c, int width, int inner, bool accumulate)
        where TLeft : struct, ILeftOperand
    {
        if (!Vector512.IsHardwareAccelerated)
            RunNarrow<TLeft>(a, aSkip, b, bColumn, bSkip, c, width, inner, accumulate);
        else if (width == 3)
            RunThree<TLeft>(a, aSkip, b, bColumn, bSkip, c, inner, accumulate);
        else if (width == 2)
            RunTwo<TLeft>(a, aSkip, b, bColumn, bSkip, c, inner, accumulate);
        else
            RunOne<TLeft>(a, aSkip, b, bSkip, c, inner, accumulate);
    }
}
