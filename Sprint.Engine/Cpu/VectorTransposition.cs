using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Sprint.Engine.Cpu;

/// <summary>Transposes 4 x 4 blocks of float32 values held in registers.</summary>
internal static class VectorTransposition
{
    /// <summary>Transposes the block whose rows are given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector128<float> Row0, Vector128<float> Row1, Vector128<float> Row2, Vector128<float> Row3) Transpose4(
        Vector128<float> row0, Vector128<float> row1, Vector128<float> row2, Vector128<float> row3)
    {
        Vector128<double> low01 = ZipLow(row0, row1).AsDouble();
        Vector128<double> low23 = ZipLow(row2, row3).AsDouble();
        Vector128<double> high01 = ZipHigh(row0, row1).AsDouble();
        Vector128<double> high23 = ZipHigh(row2, row3).AsDouble();
        return (
            Vector128.Create(low01.GetLower(), low23.GetLower()).AsSingle(),
            Vector128.Create(low01.GetUpper(), low23.GetUpper()).AsSingle(),
            Vector128.Create(high01.GetLower(), high23.GetLower()).AsSingle(),
            Vector128.Create(high01.GetUpper(), high23.GetUpper()).AsSingle());
    }

    /// <summary>Transposes two blocks at once, one in the lower and one in the upper halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Row0, Vector256<float> Row1, Vector256<float> Row2, Vector256<float> Row3) Transpose4(
        Vector256<float> row0, Vector256<float> row1, Vector256<float> row2, Vector256<float> row3)
    {
        if (Avx.IsSupported)
        {
            Vector256<double> low01 = Avx.UnpackLow(row0, row1).AsDouble();
            Vector256<double> low23 = Avx.UnpackLow(row2, row3).AsDouble();
            Vector256<double> high01 = Avx.UnpackHigh(row0, row1).AsDouble();
            Vector256<double> high23 = Avx.UnpackHigh(row2, row3).AsDouble();
            return (
                Avx.UnpackLow(low01, low23).AsSingle(),
                Avx.UnpackHigh(low01, low23).AsSingle(),
                Avx.UnpackLow(high01, high23).AsSingle(),
                Avx.UnpackHigh(high01, high23).AsSingle());
        }

        var lower = Transpose4(row0.GetLower(), row1.GetLower(), row2.GetLower(), row3.GetLower());
        var upper = Transpose4(row0.GetUpper(), row1.GetUpper(), row2.GetUpper(), row3.GetUpper());
        return (
            Vector256.Create(lower.Row0, upper.Row0),
            Vector256.Create(lower.Row1, upper.Row1),
            Vector256.Create(lower.Row2, upper.Row2),
            Vector256.Create(lower.Row3, upper.Row3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> even, Vector128<float> odd)
    {
        if (Sse.IsSupported)
            return Sse.UnpackLow(even, odd);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.ZipLow(even, odd);
        return Vector128.Create(even[0], odd[0], even[1], odd[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> even, Vector128<float> odd)
    {
        if (Sse.IsSupported)
            return Sse.UnpackHigh(even, odd);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.ZipHigh(even, odd);
        return Vector128.Create(even[2], odd[2], even[3], odd[3]);
    }
}
