using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>A function of up to two vectors, for <see cref="Elementwise"/>.</summary>
internal interface IElementwiseFunction
{
    /// <summary>The result for 16 elements.</summary>
    Vector512<float> Apply(Vector512<float> first, Vector512<float> second);
}

/// <summary>Applies a function to all elements of tensors of one size, in pieces that stay in the first-level cache.</summary>
internal static unsafe class Elementwise
{
    private const int Piece = 4096;

    /// <summary><c>output (+)= function(first, second)</c>; the output may be one of the two.</summary>
    internal static void Run<TFunction>(
        CpuDevice device, TFunction function, Tensor first, Tensor second, Tensor output, bool accumulate = false)
        where TFunction : struct, IElementwiseFunction
    {
        long count = output.Count;
        var job = new Job<TFunction>(
            function, (float*)first.Address, (float*)second.Address, (float*)output.Address, count, accumulate);
        device.Pool.Run(ref job, checked((int)((count + Piece - 1) / Piece)));
    }

    private readonly struct Job<TFunction>(TFunction function, float* first, float* second, float* output, long count, bool accumulate)
        : IWorkerJob
        where TFunction : struct, IElementwiseFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int index, int worker)
        {
            long end = Math.Min(count, (index + 1L) * Piece);
            for (long i = (long)index * Piece; i < end; i += Lanes.Count)
            {
                int left = (int)(end - i);
                Vector512<float> result = function.Apply(Lanes.Load(first + i, left), Lanes.Load(second + i, left));
                Lanes.Contribute(result, output + i, left, accumulate);
            }
        }
    }
}
