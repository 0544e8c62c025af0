using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Sprint.Engine.Cpu;

namespace Sprint.Bench;

/// <summary>The command <c>gemm</c>: times one matrix product of the CPU back end.</summary>
internal static unsafe class GemmCommand
{
    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Option<int> m = Arguments.Number("--m", "Rows of the result.", 2048, 1, 1 << 24);
        Option<int> n = Arguments.Number("--n", "Columns of the result.", 1152, 1, 1 << 24);
        Option<int> k = Arguments.Number("--k", "The dimension summed over.", 1152, 1, 1 << 24);
        Option<int> threads = Arguments.Number("--threads", "Threads that work.", Environment.ProcessorCount, 1, 1024);
        Option<int> steps = Arguments.Number("--steps", "How many times it is measured.", 20, 1, 1_000_000);
        Option<int> warmup = Arguments.Number("--warmup", "How many times it runs before.", 5, 0, 1_000_000);
        Option<string> form = new("--form")
        {
            Description = "Which operands are transposed in memory: n or t for A, then for B. The forward pass of a linear layer is nt.",
            DefaultValueFactory = _ => "nt",
        };
        form.AcceptOnlyFromAmong("nn", "nt", "tn", "tt");

        Command command = new("gemm", "Times a float32 matrix product on the CPU.") { m, n, k, threads, steps, warmup, form };
        command.SetAction(result => Run(
            result.GetValue(m), result.GetValue(n), result.GetValue(k), result.GetValue(threads),
            result.GetValue(steps), result.GetValue(warmup), result.GetValue(form)!));
        return command;
    }

    private static int Run(int m, int n, int k, int threads, int steps, int warmup, string form)
    {
        float* a = Allocate((long)m * k, seed: 1);
        float* b = Allocate((long)n * k, seed: 2);
        float* c = Allocate((long)m * n, seed: 3);
        try
        {
            MatrixOperand left = form[0] == 'n' ? MatrixOperand.Rows(a, k) : MatrixOperand.Transposed(a, m);
            MatrixOperand right = form[1] == 'n' ? MatrixOperand.Rows(b, n) : MatrixOperand.Transposed(b, k);
            using WorkerPool pool = new(threads);
            for (int i = 0; i < warmup; i++)
                MatrixProduct.Multiply(pool, left, right, c, n, m, n, k);

            double[] milliseconds = new double[steps];
            for (int i = 0; i < steps; i++)
            {
                long start = Stopwatch.GetTimestamp();
                MatrixProduct.Multiply(pool, left, right, c, n, m, n, k);
                milliseconds[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

            Array.Sort(milliseconds);
            double median = milliseconds[steps / 2];
            double flops = 2.0 * m * n * k;
            Console.WriteLine(
                $"gemm {m}x{n}x{k} threads={threads} median={median:F3} ms  {flops / median / 1e6:F1} GFLOP/s  (minimum {milliseconds[0]:F3} ms  {flops / milliseconds[0] / 1e6:F1} GFLOP/s)");
            return 0;
        }
        finally
        {
            NativeMemory.AlignedFree(a);
            NativeMemory.AlignedFree(b);
            NativeMemory.AlignedFree(c);
        }
    }

    private static float* Allocate(long count, int seed)
    {
        float* memory = (float*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(float)), 64);
        Random random = new(seed);
        for (long i = 0; i < count; i++)
            memory[i] = random.NextSingle() - 0.5f;
        return memory;
    }
}
