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

    /// <summary>32-bit floating point, of addends.</summary>
    Single,
}

/// <summary>
/// Matrix products of 16 x 8 x K and the loads that feed them, with fragments laid out as the ISA says. Products are exact;
/// floating-point sums are rounded to float32 after every step along K (fused), from low K to high.
/// </summary>
internal static unsafe partial class Handlers
{
    /// <summary>List: registers of D, A, B, C. E: K, F: element of A, D: element of B, Count: registers of D and C; A: 1 for results in binary16, B: 1 to saturate.</summary>
    public static Instruction* MultiplyMatrix(Warp warp, Instruction* i)
    {
        if (!GatherWholeWarp(warp, i, out Instruction* next))
            return next;
        MatrixElement element = (MatrixElement)i->F;
        int perRegister = element == MatrixElement.TensorFloat32 ? 1 : element >= MatrixElement.Signed8 ? 4 : 2;
        int leftCount = i->E / (2 * perRegister);
        int* left = i->List + i->Count;
        int* right = left + leftCount;
        int* addend = right + leftCount / 2;
        Vector512<float>* a = stackalloc Vector512<float>[4 * 8];
        float* b = stackalloc float[32 * 8];
        Vector512<float>* sums = stackalloc Vector512<float>[8];
        UnpackLeft(warp, left, leftCount / 2, element, a);
        UnpackRight(warp, right, leftCount / 2, (MatrixElement)i->D, b);
        if (element >= MatrixElement.Signed8)
        {
            for (int k = 0; k < 8; k++)
                sums[k] = default;
            MatrixTile.MultiplyAdd(a, b, i->E / 4, sums);
            AddIntegers(warp, i, addend, sums);
            return i + 1;
        }
        UnpackSums(warp, i, addend, sums);
        MatrixTile.MultiplyAdd(a, b, i->E / 4, sums);
        PackSums(warp, i, sums);
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
        for (int matrix = 0; matrix < i->Count; matrix++)
        {
            byte** rows = warp.Host + matrix * 8;
            byte* target = warp.Registers + i->List[matrix];
            if (i->E == 0)
            {
                for (int row = 0; row < 8; row++)
                    Vector128.Load(rows[row]).Store(target + row * 16);
            }
            else
            {
                MatrixTile.Transpose((ushort**)rows, (ushort*)target);
            }
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

    // Registers 2k and 2k + 1 hold rows 0 to 7 and 8 to 15 of the same steps, sixteen lanes four rows of them.
    private static void UnpackLeft(Warp warp, int* registers, int pairs, MatrixElement element, Vector512<float>* a)
    {
        int parts = Parts(element);
        for (int pair = 0; pair < pairs; pair++)
        {
            for (int r = 0; r < 4; r++)
            {
                Vector512<uint> bits = Vector512.LoadAligned((uint*)(warp.Registers + registers[2 * pair + (r >> 1)]) + (r & 1) * 16);
                Vector512<float>* target = a + pair * parts * 4 + r;
                if (parts == 2)
                {
                    Vector512<float> even = Part(bits, 0, element), odd = Part(bits, 1, element);
                    target[0] = MatrixTile.InterleaveLow(even, odd);
                    target[4] = MatrixTile.InterleaveHigh(even, odd);
                    continue;
                }
                // The order of steps within a register does not matter for integers, whose sums are exact.
                for (int part = 0; part < parts; part++)
                    target[part * 4] = Part(bits, part, element);
            }
        }
    }

    private static void UnpackRight(Warp warp, int* registers, int count, MatrixElement element, float* b)
    {
        int parts = Parts(element);
        for (int register = 0; register < count; register++)
        {
            uint* lanes = (uint*)(warp.Registers + registers[register]);
            Vector512<uint> upper = Vector512.LoadAligned(lanes), lower = Vector512.LoadAligned(lanes + 16);
            for (int t = 0; t < 4; t += 2)
            {
                Vector512<uint> columns = MatrixTile.Columns(upper, lower, t);
                for (int part = 0; part < parts; part++)
                {
                    int step = register * 4 * parts + (parts == 2 ? 2 * t + part : 4 * part + t);
                    Vector512<float> rows = Part(columns, part, element);
                    rows.GetLower().Store(b + step * 8);
                    rows.GetUpper().Store(b + (step + (parts == 2 ? 2 : 1)) * 8);
                }
            }
        }
    }

    private static int Parts(MatrixElement element) => element == MatrixElement.TensorFloat32 ? 1 : element >= MatrixElement.Signed8 ? 4 : 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Part(Vector512<uint> bits, int part, MatrixElement element) => element switch
    {
        MatrixElement.BrainFloat16 => (part == 0 ? bits << 16 : bits & Vector512.Create(0xFFFF0000u)).AsSingle(),
        MatrixElement.Binary16 => MatrixTile.WidenHalves(part == 0 ? bits & Vector512.Create(0xFFFFu) : bits >> 16),
        MatrixElement.TensorFloat32 => (bits & Vector512.Create(0xFFFFE000u)).AsSingle(),
        MatrixElement.Signed8 => Vector512.ConvertToSingle((bits << 24 - 8 * part).AsInt32() >> 24),
        _ => Vector512.ConvertToSingle((bits << 24 - 8 * part >> 24).AsInt32()),
    };

    private static void UnpackSums(Warp warp, Instruction* i, int* addend, Vector512<float>* sums)
    {
        byte* r = warp.Registers;
        for (int k = 0; k < 4; k++)
        {
            Vector512<float> even, odd;
            if (i->A == 0)
            {
                even = Vector512.LoadAligned((float*)(r + addend[(k >> 1) * 2]) + (k & 1) * 16);
                odd = Vector512.LoadAligned((float*)(r + addend[(k >> 1) * 2 + 1]) + (k & 1) * 16);
            }
            else
            {
                Vector512<uint> packed = Vector512.LoadAligned((uint*)(r + addend[k >> 1]) + (k & 1) * 16);
                even = MatrixTile.WidenHalves(packed & Vector512.Create(0xFFFFu));
                odd = MatrixTile.WidenHalves(packed >> 16);
            }
            sums[2 * k] = MatrixTile.InterleaveLow(even, odd);
            sums[2 * k + 1] = MatrixTile.InterleaveHigh(even, odd);
        }
    }

    private static void PackSums(Warp warp, Instruction* i, Vector512<float>* sums)
    {
        byte* r = warp.Registers;
        for (int k = 0; k < 4; k++)
        {
            Vector512<float> even = Single32.Canonical(MatrixTile.Even(sums[2 * k], sums[2 * k + 1])), odd = Single32.Canonical(MatrixTile.Odd(sums[2 * k], sums[2 * k + 1]));
            if (i->A == 0)
            {
                even.StoreAligned((float*)(r + i->List[(k >> 1) * 2]) + (k & 1) * 16);
                odd.StoreAligned((float*)(r + i->List[(k >> 1) * 2 + 1]) + (k & 1) * 16);
                continue;
            }
            ushort* target = (ushort*)(r + i->List[k >> 1]) + (k & 1) * 32;
            for (int lane = 0; lane < 16; lane++)
            {
                target[lane * 2] = Binary16.Narrow(even[lane], RoundingMode.Nearest);
                target[lane * 2 + 1] = Binary16.Narrow(odd[lane], RoundingMode.Nearest);
            }
        }
    }

    private static void AddIntegers(Warp warp, Instruction* i, int* addend, Vector512<float>* sums)
    {
        byte* r = warp.Registers;
        int* results = stackalloc int[Lanes.Count * 4];
        for (int k = 0; k < 4; k++)
        {
            Vector512<float> even = MatrixTile.Even(sums[2 * k], sums[2 * k + 1]), odd = MatrixTile.Odd(sums[2 * k], sums[2 * k + 1]);
            for (int lane = 0; lane < 16; lane++)
            {
                int place = (k & 1) * 16 + lane, register = (k >> 1) * 2;
                results[register * 32 + place] = AddInteger(((int*)(r + addend[register]))[place], (long)even[lane], i->B != 0);
                results[(register + 1) * 32 + place] = AddInteger(((int*)(r + addend[register + 1]))[place], (long)odd[lane], i->B != 0);
            }
        }
        for (int register = 0; register < 4; register++)
            CopyLanes(Lanes.All, (int*)(r + i->List[register]), results + register * 32);
    }

    private static int AddInteger(int addend, long sum, bool saturate)
        => saturate ? (int)Math.Clamp(addend + sum, int.MinValue, int.MaxValue) : (int)(addend + sum);
}
