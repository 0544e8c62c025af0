using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sprint.Engine.Cpu;

/// <summary>
/// Copies parts of a product's operands into the order in which the micro-kernel reads them: for each k the elements of a tile's side,
/// <c>target[k * width + i]</c>. Where the operand has k contiguous this is a transposition, done in registers.
/// </summary>
internal static unsafe class MatrixPacking
{
    private const int LinesAhead = 16;

    /// <summary>Packs <paramref name="count"/> lines of <paramref name="depth"/> elements each, every line contiguous in k.</summary>
    /// <param name="source">Line 0, k 0.</param>
    /// <param name="stride">From line to line.</param>
    /// <param name="count">How many lines there are; what the target has beyond them gets copies of the last.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="target">Where to write.</param>
    /// <param name="width">How many lines the target has: a multiple of 4.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(float* source, long stride, int count, int depth, float* target, int width)
    {
        int line = 0;
        for (; line + 8 <= width; line += 8)
            Transpose8(Lines8.At(source, stride, line, count), depth, target + line, width);
        if (line < width)
            Transpose4(Lines8.At(source, stride, line, count), depth, target + line, width);
    }

    /// <summary>Packs <paramref name="count"/> lines that lie side by side for each k.</summary>
    /// <param name="source">Line 0, k 0.</param>
    /// <param name="stride">From k to k + 1.</param>
    /// <param name="count">How many lines there are; what the target has beyond them becomes 0.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="target">Where to write.</param>
    /// <param name="width">How many lines the target has.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(float* source, long stride, int count, int depth, float* target, int width)
    {
        for (int k = 0; k < depth; k++, source += stride, target += width)
        {
            int line = 0;
            for (; line + 16 <= count; line += 16)
                Vector512.Load(source + line).Store(target + line);
            for (; line + 4 <= count; line += 4)
                Vector128.Load(source + line).Store(target + line);
            for (; line + 2 <= count; line += 2)
                *(long*)(target + line) = *(long*)(source + line);
            if (line < count)
            {
                target[line] = source[line];
                line++;
            }

            for (; line < width; line++)
                target[line] = 0;
        }
    }

    /// <summary>Packs pairs of tiles of 8 lines each, the lines of both side by side for each k.</summary>
    /// <param name="source">Line 0, k 0.</param>
    /// <param name="stride">From k to k + 1.</param>
    /// <param name="pairs">How many pairs of tiles.</param>
    /// <param name="depth">How many k.</param>
    /// <param name="target">Where the first tile is written.</param>
    /// <param name="tileStride">From tile to tile.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyPairsOf8(float* source, long stride, int pairs, int depth, float* target, long tileStride)
    {
        // Lines this short are no stream that the hardware would fetch ahead; beyond the operand's end the request is ignored.
        long ahead = LinesAhead * stride;
        for (int pair = 0; pair < pairs; pair++, source += 16, target += 2 * tileStride)
        {
            float* line = source;
            float* even = target;
            float* odd = target + tileStride;
            for (int k = 0; k < depth; k++, line += stride, even += 8, odd += 8)
            {
                if (Sse.IsSupported)
                    Sse.Prefetch0(line + ahead);
                Vector256.Load(line).Store(even);
                Vector256.Load(line + 8).Store(odd);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8(Lines8 lines, int depth, float* target, int width)
    {
        int k = 0;
        for (; k + 4 <= depth; k += 4)
        {
            // Two 4 x 4 transpositions side by side: the upper half of each vector belongs to lines 4 to 7.
            Vector256<float> v0 = Vector256.Create(Vector128.Load(lines.Line0 + k), Vector128.Load(lines.Line4 + k));
            Vector256<float> v1 = Vector256.Create(Vector128.Load(lines.Line1 + k), Vector128.Load(lines.Line5 + k));
            Vector256<float> v2 = Vector256.Create(Vector128.Load(lines.Line2 + k), Vector128.Load(lines.Line6 + k));
            Vector256<float> v3 = Vector256.Create(Vector128.Load(lines.Line3 + k), Vector128.Load(lines.Line7 + k));
            (v0, v1, v2, v3) = VectorTransposition.Transpose4(v0, v1, v2, v3);
            float* row = target + ((long)k * width);
            v0.Store(row);
            v1.Store(row + width);
            v2.Store(row + (2L * width));
            v3.Store(row + (3L * width));
        }

        for (; k < depth; k++)
        {
            float* row = target + ((long)k * width);
            row[0] = lines.Line0[k];
            row[1] = lines.Line1[k];
            row[2] = lines.Line2[k];
            row[3] = lines.Line3[k];
            row[4] = lines.Line4[k];
            row[5] = lines.Line5[k];
            row[6] = lines.Line6[k];
            row[7] = lines.Line7[k];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose4(Lines8 lines, int depth, float* target, int width)
    {
        int k = 0;
        for (; k + 4 <= depth; k += 4)
        {
            (Vector128<float> v0, Vector128<float> v1, Vector128<float> v2, Vector128<float> v3) = VectorTransposition.Transpose4(
                Vector128.Load(lines.Line0 + k), Vector128.Load(lines.Line1 + k), Vector128.Load(lines.Line2 + k), Vector128.Load(lines.Line3 + k));
            float* row = target + ((long)k * width);
            v0.Store(row);
            v1.Store(row + width);
            v2.Store(row + (2L * width));
            v3.Store(row + (3L * width));
        }

        for (; k < depth; k++)
        {
            float* row = target + ((long)k * width);
            row[0] = lines.Line0[k];
            row[1] = lines.Line1[k];
            row[2] = lines.Line2[k];
            row[3] = lines.Line3[k];
        }
    }

    /// <summary>Eight lines of an operand; those beyond its last are the last.</summary>
    private readonly ref struct Lines8
    {
        public float* Line0 { get; private init; }

        public float* Line1 { get; private init; }

        public float* Line2 { get; private init; }

        public float* Line3 { get; private init; }

        public float* Line4 { get; private init; }

        public float* Line5 { get; private init; }

        public float* Line6 { get; private init; }

        public float* Line7 { get; private init; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lines8 At(float* source, long stride, int line, int count)
        {
            int last = count - 1;
            return new Lines8
            {
                Line0 = source + (stride * Math.Min(line, last)),
                Line1 = source + (stride * Math.Min(line + 1, last)),
                Line2 = source + (stride * Math.Min(line + 2, last)),
                Line3 = source + (stride * Math.Min(line + 3, last)),
                Line4 = source + (stride * Math.Min(line + 4, last)),
                Line5 = source + (stride * Math.Min(line + 5, last)),
                Line6 = source + (stride * Math.Min(line + 6, last)),
                Line7 = source + (stride * Math.Min(line + 7, last)),
            };
        }
    }
}
