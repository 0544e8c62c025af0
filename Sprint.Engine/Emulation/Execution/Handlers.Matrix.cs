using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Element types of a matrix product.</summary>
internal enum MatrixElement
{
    Binary16,
    BrainFloat16,
    TensorFloat32,
    Signed8,
    Unsigned8,
}

/// <summary>
/// Matrix products of 16 x 8 x K and the loads that feed them, with fragments laid out as the ISA says. Products are exact;
/// floating-point sums are rounded to float32 after every step along K (fused), from low K to high.
/// </summary>
internal static unsafe partial class Handlers
{
    private const int Rows = 16;
    private const int Columns = 8;
    private const int MaximumDepth = 32;

    /// <summary>List: registers of D, A, B, C. E: K, F: element of A, D: element of B, Count: registers of D and C; A: 1 for results in binary16, B: 1 to saturate.</summary>
    public static Instruction* MultiplyMatrix(Warp warp, Instruction* i)
    {
        if (!GatherWholeWarp(warp, i, out Instruction* next))
            return next;
        int depth = i->E;
        MatrixElement element = (MatrixElement)i->F;
        int perRegister = element == MatrixElement.TensorFloat32 ? 1 : element >= MatrixElement.Signed8 ? 4 : 2;
        int leftCount = Rows * depth / (32 * perRegister);
        int rightCount = Columns * depth / (32 * perRegister);
        int* left = i->List + i->Count;
        int* right = left + leftCount;
        int* addend = right + rightCount;
        float* a = stackalloc float[Rows * MaximumDepth];
        float* b = stackalloc float[MaximumDepth * Columns];
        UnpackLeft(warp, left, leftCount, perRegister, element, depth, a);
        UnpackRight(warp, right, rightCount, perRegister, (MatrixElement)i->D, b);
        if (element >= MatrixElement.Signed8)
            AccumulateIntegers(warp, i, a, b, depth, addend);
        else
            AccumulateSingles(warp, i, a, b, depth, addend);
        return i + 1;
    }

    /// <summary>Loads Count 8 x 8 matrices of 16-bit elements from shared memory; E: 1 to transpose.</summary>
    public static Instruction* LoadMatrix(Warp warp, Instruction* i)
    {
        if (!GatherWholeWarp(warp, i, out Instruction* next))
            return next;
        ComputeAddresses(warp, i, 16);
        if ((AccessKind)i->F == AccessKind.VolatileLoad)
            SubtractWindow(warp);
        uint suppliers = (uint)((1ul << 8 * i->Count) - 1);
        SharedSpace.Scatter(warp, i, suppliers, 16, AccessKind.Load);
        uint* results = stackalloc uint[Lanes.Count];
        for (int matrix = 0; matrix < i->Count; matrix++)
        {
            byte** rows = warp.Host + matrix * 8;
            for (int lane = 0; lane < Lanes.Count; lane++)
            {
                int row = lane >> 2;
                int column = (lane & 3) * 2;
                results[lane] = i->E == 0
                    ? ((uint*)rows[row])[column >> 1]
                    : ((ushort*)rows[column])[row] | (uint)((ushort*)rows[column + 1])[row] << 16;
            }
            CopyLanes(Lanes.All, (uint*)(warp.Registers + i->List[matrix]), results);
        }
        return i + 1;
    }

    private static bool GatherWholeWarp(Warp warp, Instruction* i, out Instruction* next)
    {
        if (warp.Live != Lanes.All)
        {
            throw warp.Fault(i, Warp.LowestLane(warp.Active), EmulationFault.WarpSynchronization,
                $"A matrix instruction needs all 32 lanes of the warp, but only {Lanes.Describe(warp.Live)} run");
        }
        return warp.Gather(i, Lanes.All, out next);
    }

    private static void SubtractWindow(Warp warp)
    {
        for (int lane = 0; lane < Lanes.Count; lane++)
            warp.Addresses[lane] -= MemoryWindows.Shared;
    }

    private static void UnpackLeft(Warp warp, int* registers, int count, int perRegister, MatrixElement element, int depth, float* a)
    {
        for (int register = 0; register < count; register++)
        {
            uint* lanes = (uint*)(warp.Registers + registers[register]);
            int rowOffset = (register & 1) * 8;
            int depthOffset = (register >> 1) * 4 * perRegister;
            for (int lane = 0; lane < Lanes.Count; lane++)
            {
                float* row = a + ((lane >> 2) + rowOffset) * MaximumDepth + depthOffset + (lane & 3) * perRegister;
                for (int k = 0; k < perRegister; k++)
                    row[k] = Element(lanes[lane], k, element);
            }
        }
    }

    private static void UnpackRight(Warp warp, int* registers, int count, int perRegister, MatrixElement element, float* b)
    {
        for (int register = 0; register < count; register++)
        {
            uint* lanes = (uint*)(warp.Registers + registers[register]);
            int depthOffset = register * 4 * perRegister;
            for (int lane = 0; lane < Lanes.Count; lane++)
            {
                int first = depthOffset + (lane & 3) * perRegister;
                for (int k = 0; k < perRegister; k++)
                    b[(first + k) * Columns + (lane >> 2)] = Element(lanes[lane], k, element);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Element(uint bits, int k, MatrixElement element) => element switch
    {
        MatrixElement.BrainFloat16 => BitConverter.UInt32BitsToSingle(k == 0 ? bits << 16 : bits & 0xFFFF0000),
        MatrixElement.Binary16 => Binary16.Widen((ushort)(bits >> 16 * k)),
        MatrixElement.TensorFloat32 => BitConverter.UInt32BitsToSingle(bits & 0xFFFFE000),
        MatrixElement.Signed8 => (sbyte)(bits >> 8 * k),
        _ => (byte)(bits >> 8 * k),
    };

    private static void AccumulateSingles(Warp warp, Instruction* i, float* a, float* b, int depth, int* addend)
    {
        byte* r = warp.Registers;
        float* sums = stackalloc float[Rows * Columns];
        for (int lane = 0; lane < Lanes.Count; lane++)
        {
            for (int k = 0; k < 4; k++)
            {
                float value = i->A != 0
                    ? Binary16.Widen((ushort)(((uint*)(r + addend[k >> 1]))[lane] >> 16 * (k & 1)))
                    : ((float*)(r + addend[k]))[lane];
                sums[Place(lane, k)] = value;
            }
        }
        for (int row = 0; row < Rows; row++)
        {
            Vector256<float> sum = Vector256.Load(sums + row * Columns);
            for (int k = 0; k < depth; k++)
                sum = Vector256.FusedMultiplyAdd(Vector256.Create(a[row * MaximumDepth + k]), Vector256.Load(b + k * Columns), sum);
            sum.Store(sums + row * Columns);
        }
        for (int lane = 0; lane < Lanes.Count; lane++)
        {
            for (int k = 0; k < 4; k++)
            {
                float value = Single32.Canonical(sums[Place(lane, k)]);
                if (i->A == 0)
                    ((float*)(r + i->List[k]))[lane] = value;
                else
                    ((ushort*)(r + i->List[k >> 1]))[lane * 2 + (k & 1)] = Binary16.Narrow(value, RoundingMode.Nearest);
            }
        }
    }

    private static void AccumulateIntegers(Warp warp, Instruction* i, float* a, float* b, int depth, int* addend)
    {
        byte* r = warp.Registers;
        for (int lane = 0; lane < Lanes.Count; lane++)
        {
            for (int k = 0; k < 4; k++)
            {
                int place = Place(lane, k);
                long sum = ((int*)(r + addend[k]))[lane];
                for (int step = 0; step < depth; step++)
                    sum += (long)(a[place / Columns * MaximumDepth + step] * b[step * Columns + place % Columns]);
                ((int*)(r + i->List[k]))[lane] = i->B != 0 ? (int)Math.Clamp(sum, int.MinValue, int.MaxValue) : (int)sum;
            }
        }
    }

    /// <summary>Where in the 16 x 8 result element k of a lane's fragment is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Place(int lane, int k) => ((lane >> 2) + (k >> 1) * 8) * Columns + (lane & 3) * 2 + (k & 1);
}
