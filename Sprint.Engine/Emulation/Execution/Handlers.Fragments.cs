using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>
/// <c>wmma</c>: matrices that lanes hold in fragments whose layout is nobody's business but the device's. Here element e of a
/// row-major matrix lies in lane e mod 32, the next 32 elements behind it; what an f16 input has registers for beyond that repeats it.
/// </summary>
internal static unsafe partial class Handlers
{
    private const int MaximumFragment = 512;

    /// <summary>The fewest neighbouring bytes of a matrix that are accessed at once: a row or column of 8 elements of one byte.</summary>
    public const int MinimumFragmentChunk = 8;

    /// <summary>List: registers, rows, columns, bytes of an element, 1 if columns are contiguous; E: register of the stride in elements or -1.</summary>
    public static Instruction* LoadFragment<TSpace>(Warp warp, Instruction* i)
        where TSpace : struct, IMemorySpace
    {
        if (!GatherWholeWarp(warp, i, out Instruction* next))
            return next;
        byte* matrix = stackalloc byte[MaximumFragment * 4];
        Transfer<TSpace>(warp, i, matrix, AccessKind.Load);
        int* shape = i->List + i->Count;
        for (int register = 0; register < i->Count; register++)
            MoveRegister(warp.Registers + i->List[register], register, matrix, shape, false);
        return i + 1;
    }

    /// <summary>As <see cref="LoadFragment"/>, the other way.</summary>
    public static Instruction* StoreFragment<TSpace>(Warp warp, Instruction* i)
        where TSpace : struct, IMemorySpace
    {
        if (!GatherWholeWarp(warp, i, out Instruction* next))
            return next;
        byte* matrix = stackalloc byte[MaximumFragment * 4];
        int* shape = i->List + i->Count;
        for (int register = 0; register < i->Count; register++)
            MoveRegister(warp.Registers + i->List[register], register, matrix, shape, true);
        Transfer<TSpace>(warp, i, matrix, AccessKind.Store);
        return i + 1;
    }

    /// <summary>List: registers of D, A, B, C, their four counts, M, N, K. E: the element, A and B: 1 for results and addends in binary16, C: 1 to saturate.</summary>
    public static Instruction* MultiplyFragments(Warp warp, Instruction* i)
    {
        if (!GatherWholeWarp(warp, i, out Instruction* next))
            return next;
        int* shape = i->List + i->Count;
        (int m, int n, int k) = (shape[4], shape[5], shape[6]);
        float* a = stackalloc float[MaximumFragment], b = stackalloc float[MaximumFragment], c = stackalloc float[MaximumFragment];
        int* left = i->List + shape[0], right = left + shape[1], addend = right + shape[2];
        MatrixElement element = (MatrixElement)i->E;
        Unpack(warp, left, shape[1], m * k, element, a);
        Unpack(warp, right, shape[2], k * n, element, b);
        bool integers = element >= MatrixElement.Signed8;
        if (integers)
            new Span<float>(c, m * n).Clear();
        else
            Unpack(warp, addend, shape[3], m * n, i->B != 0 ? MatrixElement.Binary16 : MatrixElement.Single, c);
        for (int row = 0; row < m; row++)
        {
            for (int column = 0; column < n; column += 8)
            {
                Vector256<float> sum = Vector256.Load(c + row * n + column);
                for (int step = 0; step < k; step++)
                    sum = Vector256.FusedMultiplyAdd(Vector256.Create(a[row * k + step]), Vector256.Load(b + step * n + column), sum);
                sum.Store(c + row * n + column);
            }
        }
        for (int register = 0; register < shape[0]; register++)
        {
            byte* d = warp.Registers + i->List[register];
            for (int lane = 0; lane < Lanes.Count; lane++)
            {
                float value = c[register * 32 + lane];
                if (integers)
                    ((int*)d)[lane] = AddInteger(((int*)(warp.Registers + addend[register]))[lane], (long)value, i->C != 0);
                else if (i->A == 0)
                    ((float*)d)[lane] = Single32.Canonical(value);
                else
                    ((uint*)d)[lane] = Binary16.Narrow(c[register * 64 + lane], RoundingMode.Nearest) | (uint)Binary16.Narrow(c[register * 64 + 32 + lane], RoundingMode.Nearest) << 16;
            }
        }
        return i + 1;
    }

    /// <summary>The product of 8 x 4 and 4 x 8 doubles in fragments of <c>wmma</c>; List as in <see cref="MultiplyFragments"/>.</summary>
    public static Instruction* MultiplyDoubleFragments(Warp warp, Instruction* i)
    {
        if (!GatherWholeWarp(warp, i, out Instruction* next))
            return next;
        double* a = (double*)(warp.Registers + i->List[2]), b = (double*)(warp.Registers + i->List[3]);
        double* results = stackalloc double[64];
        for (int e = 0; e < 64; e++)
        {
            double sum = ((double*)(warp.Registers + i->List[4 + (e >> 5)]))[e & 31];
            for (int step = 0; step < 4; step++)
                sum = Math.FusedMultiplyAdd(a[(e >> 3) * 4 + step], b[step * 8 + (e & 7)], sum);
            results[e] = sum;
        }
        for (int register = 0; register < 2; register++)
            CopyLanes(Lanes.All, (double*)(warp.Registers + i->List[register]), results + register * 32);
        return i + 1;
    }

    /// <summary><c>mma.m8n8k4</c> of doubles. List: two registers of D, A, B, two of C.</summary>
    public static Instruction* MultiplyDoubles(Warp warp, Instruction* i)
    {
        if (!GatherWholeWarp(warp, i, out Instruction* next))
            return next;
        double* a = (double*)(warp.Registers + i->List[2]), b = (double*)(warp.Registers + i->List[3]);
        double* results = stackalloc double[64];
        for (int e = 0; e < 64; e++)
        {
            int lane = e & 31, column = (lane & 3) * 2 + (e >> 5);
            double sum = ((double*)(warp.Registers + i->List[4 + (e >> 5)]))[lane];
            for (int step = 0; step < 4; step++)
                sum = Math.FusedMultiplyAdd(a[(lane & ~3) + step], b[column * 4 + step], sum);
            results[e] = sum;
        }
        for (int register = 0; register < 2; register++)
            CopyLanes(Lanes.All, (double*)(warp.Registers + i->List[register]), results + register * 32);
        return i + 1;
    }

    // Elements of a fragment as floats; with more registers than elements the first copy counts.
    private static void Unpack(Warp warp, int* registers, int count, int elements, MatrixElement element, float* matrix)
    {
        int parts = element == MatrixElement.Single ? 1 : Parts(element);
        for (int register = 0; register < count && register * parts * 32 < elements; register++)
        {
            uint* lanes = (uint*)(warp.Registers + registers[register]);
            for (int part = 0; part < parts && (register * parts + part) * 32 < elements; part++)
            {
                float* target = matrix + (register * parts + part) * 32;
                for (int k = 0; k < Lanes.Count; k += 16)
                {
                    Vector512<uint> bits = Vector512.LoadAligned(lanes + k);
                    (element == MatrixElement.Single ? bits.AsSingle() : Part(bits, part, element)).Store(target + k);
                }
            }
        }
    }

    private static void MoveRegister(byte* lanes, int register, byte* matrix, int* shape, bool store)
    {
        int size = shape[2], parts = Math.Max(4 / size, 1), elements = shape[0] * shape[1];
        for (int part = 0; part < parts; part++)
        {
            int first = (register * parts + part) * 32;
            if (store && first >= elements)
                return;
            byte* place = matrix + first % elements * size;
            for (int lane = 0; lane < Lanes.Count; lane++)
            {
                byte* own = lanes + (lane * parts + part) * size;
                Buffer.MemoryCopy(store ? own : place + lane * size, store ? place + lane * size : own, size, size);
            }
        }
    }

    // Between memory and a row-major matrix, 16 bytes at a time: the ISA wants rows of that alignment.
    private static void Transfer<TSpace>(Warp warp, Instruction* i, byte* matrix, AccessKind kind)
        where TSpace : struct, IMemorySpace
    {
        int* shape = i->List + i->Count;
        (int rows, int columns, int size, bool byColumns) = (shape[0], shape[1], shape[2], shape[3] != 0);
        (int runs, int length) = byColumns ? (columns, rows) : (rows, columns);
        int chunk = Math.Min(16, length * size);
        int perRun = length * size / chunk;
        ComputeAddresses(warp, i, chunk);
        ulong start = warp.Addresses[0];
        for (int lane = 1; lane < Lanes.Count; lane++)
        {
            if (warp.Addresses[lane] != start)
                throw warp.Fault(i, lane, EmulationFault.WarpSynchronization, $"Lane {lane} names another matrix than lane 0: 0x{warp.Addresses[lane]:X} and 0x{start:X}");
        }
        ulong stride = (i->E >= 0 ? *(uint*)(warp.Registers + i->E) : (uint)length) * (ulong)size;
        byte* packed = stackalloc byte[MaximumFragment * 4];
        if (kind == AccessKind.Store)
            Turn(packed, matrix, rows, columns, size, byColumns, true);
        for (int first = 0; first < runs * perRun; first += Lanes.Count)
        {
            int count = Math.Min(Lanes.Count, runs * perRun - first);
            for (int k = 0; k < count; k++)
                warp.Addresses[k] = start + (ulong)((first + k) / perRun) * stride + (ulong)((first + k) % perRun * chunk);
            if (kind == AccessKind.Store)
                Buffer.MemoryCopy(packed + first * chunk, warp.Staged, Warp.StagedBytes, count * chunk);
            TSpace.Scatter(warp, i, (uint)((1ul << count) - 1), chunk, kind);
            for (int k = 0; k < count; k++)
            {
                byte* place = kind == AccessKind.Store ? warp.Staged + k * chunk : packed + (first + k) * chunk;
                Buffer.MemoryCopy(kind == AccessKind.Store ? place : warp.Host[k], kind == AccessKind.Store ? warp.Host[k] : place, chunk, chunk);
            }
            if (kind == AccessKind.Store)
                EndStore<TSpace>(warp);
        }
        if (kind != AccessKind.Store)
            Turn(packed, matrix, rows, columns, size, byColumns, false);
    }

    private static void Turn(byte* packed, byte* matrix, int rows, int columns, int size, bool byColumns, bool store)
    {
        for (int e = 0; e < rows * columns; e++)
        {
            byte* own = matrix + e * size;
            byte* place = packed + (byColumns ? e % columns * rows + e / columns : e) * size;
            Buffer.MemoryCopy(store ? own : place, store ? place : own, size, size);
        }
    }
}
