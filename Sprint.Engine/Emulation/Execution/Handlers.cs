using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Arithmetic;
using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>
/// The code behind decoded operations. This part has the shapes: an operator applied to registers lane by lane, as vectors
/// where the operator has a vector form. Only active lanes are written.
/// </summary>
[SkipLocalsInit]
internal static unsafe partial class Handlers
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Unary<TOperator, T>(Warp warp, Instruction* i)
        where TOperator : struct, IUnary<T>
        where T : unmanaged
    {
        byte* r = warp.Registers;
        T* d = (T*)(r + i->D), a = (T*)(r + i->A);
        uint active = warp.Active;
        if (active == Lanes.All)
        {
            for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
                TOperator.Apply(Vector512.LoadAligned(a + k)).StoreAligned(d + k);
        }
        else
        {
            for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
                Lanes.Store(active, d, k, TOperator.Apply(Vector512.LoadAligned(a + k)));
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Binary<TOperator, T>(Warp warp, Instruction* i)
        where TOperator : struct, IBinary<T>
        where T : unmanaged
    {
        byte* r = warp.Registers;
        T* d = (T*)(r + i->D), a = (T*)(r + i->A), b = (T*)(r + i->B);
        uint active = warp.Active;
        if (active == Lanes.All)
        {
            for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
                TOperator.Apply(Vector512.LoadAligned(a + k), Vector512.LoadAligned(b + k)).StoreAligned(d + k);
        }
        else
        {
            for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
                Lanes.Store(active, d, k, TOperator.Apply(Vector512.LoadAligned(a + k), Vector512.LoadAligned(b + k)));
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Ternary<TOperator, T>(Warp warp, Instruction* i)
        where TOperator : struct, ITernary<T>
        where T : unmanaged
    {
        byte* r = warp.Registers;
        T* d = (T*)(r + i->D), a = (T*)(r + i->A), b = (T*)(r + i->B), c = (T*)(r + i->C);
        uint active = warp.Active;
        if (active == Lanes.All)
        {
            for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
                TOperator.Apply(Vector512.LoadAligned(a + k), Vector512.LoadAligned(b + k), Vector512.LoadAligned(c + k)).StoreAligned(d + k);
        }
        else
        {
            for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
                Lanes.Store(active, d, k, TOperator.Apply(Vector512.LoadAligned(a + k), Vector512.LoadAligned(b + k), Vector512.LoadAligned(c + k)));
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* ScalarUnary<TOperator, TSource, TResult>(Warp warp, Instruction* i)
        where TOperator : struct, IScalarUnary<TSource, TResult>
        where TSource : unmanaged
        where TResult : unmanaged
    {
        byte* r = warp.Registers;
        TResult* d = (TResult*)(r + i->D);
        TSource* a = (TSource*)(r + i->A);
        TResult* results = stackalloc TResult[Lanes.Count];
        uint active = warp.Active;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            results[lane] = TOperator.Apply(a[lane]);
        }
        CopyLanes(active, d, results);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* ScalarBinary<TOperator, TSource, TResult>(Warp warp, Instruction* i)
        where TOperator : struct, IScalarBinary<TSource, TResult>
        where TSource : unmanaged
        where TResult : unmanaged
    {
        byte* r = warp.Registers;
        TResult* d = (TResult*)(r + i->D);
        TSource* a = (TSource*)(r + i->A), b = (TSource*)(r + i->B);
        TResult* results = stackalloc TResult[Lanes.Count];
        uint active = warp.Active;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            results[lane] = TOperator.Apply(a[lane], b[lane]);
        }
        CopyLanes(active, d, results);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* ScalarTernary<TOperator, TSource, TResult>(Warp warp, Instruction* i)
        where TOperator : struct, IScalarTernary<TSource, TResult>
        where TSource : unmanaged
        where TResult : unmanaged
    {
        byte* r = warp.Registers;
        TResult* d = (TResult*)(r + i->D);
        TSource* a = (TSource*)(r + i->A), b = (TSource*)(r + i->B), c = (TSource*)(r + i->C);
        TResult* results = stackalloc TResult[Lanes.Count];
        uint active = warp.Active;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            results[lane] = TOperator.Apply(a[lane], b[lane], c[lane]);
        }
        CopyLanes(active, d, results);
        return i + 1;
    }

    /// <summary>Like <see cref="ScalarTernary"/>, with the number in <see cref="Instruction.E"/>; unused operands may be any register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* ScalarMode<TOperator, TSource, TResult>(Warp warp, Instruction* i)
        where TOperator : struct, IScalarMode<TSource, TResult>
        where TSource : unmanaged
        where TResult : unmanaged
    {
        byte* r = warp.Registers;
        TResult* d = (TResult*)(r + i->D);
        TSource* a = (TSource*)(r + i->A), b = (TSource*)(r + i->B), c = (TSource*)(r + i->C);
        TResult* results = stackalloc TResult[Lanes.Count];
        uint active = warp.Active;
        int mode = i->E;
        for (uint lanes = active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            results[lane] = TOperator.Apply(a[lane], b[lane], c[lane], mode);
        }
        CopyLanes(active, d, results);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Compare<TOperator, T>(Warp warp, Instruction* i)
        where TOperator : struct, IComparison<T>
        where T : unmanaged
    {
        byte* r = warp.Registers;
        T* a = (T*)(r + i->A), b = (T*)(r + i->B);
        ulong holds = 0;
        for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
            holds |= TOperator.Apply(Vector512.LoadAligned(a + k), Vector512.LoadAligned(b + k)).ExtractMostSignificantBits() << k;
        uint* d = (uint*)(r + i->D);
        *d = *d & ~warp.Active | (uint)holds & warp.Active;
        return i + 1;
    }

    /// <summary>d = C ? a : b, with a predicate in C.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instruction* Select<T>(Warp warp, Instruction* i)
        where T : unmanaged
    {
        byte* r = warp.Registers;
        T* d = (T*)(r + i->D), a = (T*)(r + i->A), b = (T*)(r + i->B);
        uint predicate = *(uint*)(r + i->C);
        uint active = warp.Active;
        for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
        {
            Vector512<T> value = Vector512.ConditionalSelect(Lanes.Mask<T>(predicate, k), Vector512.LoadAligned(a + k), Vector512.LoadAligned(b + k));
            if (active == Lanes.All)
                value.StoreAligned(d + k);
            else
                Lanes.Store(active, d, k, value);
        }
        return i + 1;
    }

    /// <summary>Logic on predicates, the operation in <see cref="Instruction.E"/>.</summary>
    public static Instruction* PredicateLogic(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        uint a = *(uint*)(r + i->A);
        uint b = *(uint*)(r + i->B);
        uint value = (PredicateOperation)i->E switch
        {
            PredicateOperation.And => a & b,
            PredicateOperation.Or => a | b,
            PredicateOperation.Xor => a ^ b,
            PredicateOperation.Not => ~a,
            _ => a,
        };
        uint* d = (uint*)(r + i->D);
        *d = *d & ~warp.Active | value & warp.Active;
        return i + 1;
    }

    /// <summary>Writes the active lanes of a register from 32 values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyLanes<T>(uint active, T* destination, T* source)
        where T : unmanaged
    {
        for (int k = 0; k < Lanes.Count; k += Vector512<T>.Count)
        {
            if (active == Lanes.All)
                Vector512.Load(source + k).StoreAligned(destination + k);
            else
                Lanes.Store(active, destination, k, Vector512.Load(source + k));
        }
    }
}

/// <summary>Operations on predicates.</summary>
internal enum PredicateOperation
{
    Move,
    And,
    Or,
    Xor,
    Not,
}
