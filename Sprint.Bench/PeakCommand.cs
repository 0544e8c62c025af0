using System.CommandLine;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Bench;

/// <summary>The command <c>peak</c>: how many fused multiply-adds the processor does when nothing else holds it up.</summary>
internal static unsafe class PeakCommand
{
    private const int Repeats = 10;
    private const long Turns = 2_000_000;
    private const long CopiedBytes = 256L << 20;

    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Option<int> threads = Arguments.Threads();
        Command command = new(
            "peak",
            """
            Measures the processor's peak: float32 multiply-adds on registers, and bytes copied from memory to memory.
            Examples:
              peak
              peak --threads 1
            """) { threads };
        command.SetAction(result =>
        {
            int count = result.GetValue(threads);
            Console.WriteLine($"peak threads={count}  {Measure(count) / 1e9:F1} GFLOP/s  {MeasureMemory(count) / 1e9:F1} GB/s");
            return 0;
        });
        return command;
    }

    /// <summary>Measures the peak: the best of several runs with the machine's widest vectors.</summary>
    /// <param name="threads">How many threads work at a time.</param>
    /// <returns>Floating-point operations a second, all threads together; a multiply-add is two.</returns>
    public static double Measure(int threads)
    {
        using WorkerPool pool = new(threads);
        return VectorInstructionsOfMachine.Widest switch
        {
            VectorInstructions.Vector512 => Best<VectorLanes512, Vector512<float>>(pool),
            VectorInstructions.Vector256 => Best<VectorLanes256, Vector256<float>>(pool),
            _ => Best<VectorLanes128, Vector128<float>>(pool),
        };
    }

    /// <summary>Measures memory: the best of several copies of a block that no cache holds.</summary>
    /// <param name="threads">How many threads work at a time.</param>
    /// <returns>Bytes a second, read and written.</returns>
    public static double MeasureMemory(int threads)
    {
        using WorkerPool pool = new(threads);
        float* source = (float*)NativeBlock.Allocate(2 * CopiedBytes);
        try
        {
            CopyJob job = new(source, source + (CopiedBytes / sizeof(float)), CopiedBytes / threads);
            new Span<float>(source, (int)(2 * CopiedBytes / sizeof(float))).Fill(1);
            double best = double.PositiveInfinity;
            for (int repeat = 0; repeat < Repeats; repeat++)
            {
                long start = Stopwatch.GetTimestamp();
                pool.Run(ref job, threads);
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            return 2.0 * (CopiedBytes / threads * threads) / best;
        }
        finally
        {
            NativeBlock.Free(source);
        }
    }

    // Twelve independent chains fit into sixteen registers; processors with more registers may need more chains.
    private static double Best<TLanes, TVector>(WorkerPool pool)
        where TLanes : struct, IVectorLanes<TVector>
        where TVector : struct
        => Math.Max(Time<TLanes, TVector, TwelveChains>(pool), Time<TLanes, TVector, TwentyFourChains>(pool));

    private static double Time<TLanes, TVector, TChains>(WorkerPool pool)
        where TLanes : struct, IVectorLanes<TVector>
        where TVector : struct
        where TChains : struct, ITileNumber
    {
        double best = double.PositiveInfinity;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            PeakJob<TLanes, TVector, TChains> job = default;
            long start = Stopwatch.GetTimestamp();
            pool.Run(ref job, pool.Threads);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * TLanes.Count * TChains.Value * Turns * pool.Threads / best;
    }

    private readonly struct CopyJob(float* source, float* target, long bytes) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            long first = index * bytes;
            Buffer.MemoryCopy((byte*)source + first, (byte*)target + first, bytes, bytes);
        }
    }

    private readonly struct TwelveChains : ITileNumber
    {
        public static int Value => 12;
    }

    private readonly struct TwentyFourChains : ITileNumber
    {
        public static int Value => 24;
    }

    private readonly struct PeakJob<TLanes, TVector, TChains> : IWorkerJob
        where TLanes : struct, IVectorLanes<TVector>
        where TVector : struct
        where TChains : struct, ITileNumber
    {
        public void Execute(int index, int worker)
        {
            float* memory = stackalloc float[16];
            Chains(memory);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private static void Chains(float* memory)
        {
            *memory = 0.5f;
            TVector x = TLanes.Broadcast(memory);
            TVector c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x;
            TVector c6 = x, c7 = x, c8 = x, c9 = x, c10 = x, c11 = x;
            TVector c12 = x, c13 = x, c14 = x, c15 = x, c16 = x, c17 = x;
            TVector c18 = x, c19 = x, c20 = x, c21 = x, c22 = x, c23 = x;
            for (long turn = Turns; turn != 0; turn--)
            {
                c0 = TLanes.MultiplyAdd(c0, x, x);
                c1 = TLanes.MultiplyAdd(c1, x, x);
                c2 = TLanes.MultiplyAdd(c2, x, x);
                c3 = TLanes.MultiplyAdd(c3, x, x);
                c4 = TLanes.MultiplyAdd(c4, x, x);
                c5 = TLanes.MultiplyAdd(c5, x, x);
                c6 = TLanes.MultiplyAdd(c6, x, x);
                c7 = TLanes.MultiplyAdd(c7, x, x);
                c8 = TLanes.MultiplyAdd(c8, x, x);
                c9 = TLanes.MultiplyAdd(c9, x, x);
                c10 = TLanes.MultiplyAdd(c10, x, x);
                c11 = TLanes.MultiplyAdd(c11, x, x);
                if (TChains.Value == 12)
                    continue;

                c12 = TLanes.MultiplyAdd(c12, x, x);
                c13 = TLanes.MultiplyAdd(c13, x, x);
                c14 = TLanes.MultiplyAdd(c14, x, x);
                c15 = TLanes.MultiplyAdd(c15, x, x);
                c16 = TLanes.MultiplyAdd(c16, x, x);
                c17 = TLanes.MultiplyAdd(c17, x, x);
                c18 = TLanes.MultiplyAdd(c18, x, x);
                c19 = TLanes.MultiplyAdd(c19, x, x);
                c20 = TLanes.MultiplyAdd(c20, x, x);
                c21 = TLanes.MultiplyAdd(c21, x, x);
                c22 = TLanes.MultiplyAdd(c22, x, x);
                c23 = TLanes.MultiplyAdd(c23, x, x);
            }

            // Stored, so that no chain may be left out.
            TLanes.Store(c0, memory);
            TLanes.Store(c1, memory);
            TLanes.Store(c2, memory);
            TLanes.Store(c3, memory);
            TLanes.Store(c4, memory);
            TLanes.Store(c5, memory);
            TLanes.Store(c6, memory);
            TLanes.Store(c7, memory);
            TLanes.Store(c8, memory);
            TLanes.Store(c9, memory);
            TLanes.Store(c10, memory);
            TLanes.Store(c11, memory);
            TLanes.Store(c12, memory);
            TLanes.Store(c13, memory);
            TLanes.Store(c14, memory);
            TLanes.Store(c15, memory);
            TLanes.Store(c16, memory);
            TLanes.Store(c17, memory);
            TLanes.Store(c18, memory);
            TLanes.Store(c19, memory);
            TLanes.Store(c20, memory);
            TLanes.Store(c21, memory);
            TLanes.Store(c22, memory);
            TLanes.Store(c23, memory);
        }
    }
}
