using System.CommandLine;
using System.Diagnostics;
using Sprint.Engine.Cpu;

namespace Sprint.Bench;

/// <summary>The command <c>gemm</c>: times one matrix product of the CPU back end.</summary>
internal static class GemmCommand
{
    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Option<int> m = Arguments.Number("--m", "Rows of the result.", 2048, 1, 1 << 24);
        Option<int> n = Arguments.Number("--n", "Columns of the result.", 1152, 1, 1 << 24);
        Option<int> k = Arguments.Number("--k", "The dimension summed over.", 1152, 1, 1 << 24);
        Option<int> threads = Arguments.Threads();
        Option<int> steps = Arguments.Number("--steps", "How many times it is measured.", 20, 1, 1_000_000);
        Option<int> warmup = Arguments.Number("--warmup", "How many times it runs before.", 5, 0, 1_000_000);
        Option<string> form = Arguments.Word(
            "--form", "Which of A and B lie transposed in memory; a linear layer's forward pass is nt, its backward pass nn and tn.", "nt", "nn", "tn", "tt");
        Option<string> epilogue = Arguments.Word("--epilogue", "What is done to the product.", "none", "bias", "gelu", "silu", "gelu-backward");

        Command command = new(
            "gemm",
            """
            Times a float32 matrix product on the CPU.
            Examples:
              gemm --m 2048 --n 1152 --k 1152
              gemm --form tn --m 768 --n 256 --k 4096 --threads 1
            """)
        {
            m, n, k, threads, steps, warmup, form, epilogue,
        };
        command.SetAction(result =>
        {
            using GemmOperands operands = new(result.GetValue(m), result.GetValue(n), result.GetValue(k), result.GetValue(form)!);
            using WorkerPool pool = new(result.GetValue(threads));
            Time(operands, pool, result.GetValue(epilogue)!, result.GetValue(steps), result.GetValue(warmup));
            return 0;
        });
        return command;
    }

    private static void Time(GemmOperands operands, WorkerPool pool, string epilogue, int steps, int warmup)
    {
        for (int i = 0; i < warmup; i++)
            operands.Multiply(pool, epilogue);

        double[] milliseconds = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            operands.Multiply(pool, epilogue);
            milliseconds[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(milliseconds);
        (double median, double least) = (milliseconds[steps / 2], milliseconds[0]);
        double flops = 2.0 * operands.Rows * operands.Columns * operands.Depth;
        Console.WriteLine(
            $"gemm {operands.Rows}x{operands.Columns}x{operands.Depth} threads={pool.Threads} median={median:F3} ms  {flops / median / 1e6:F1} GFLOP/s"
            + $"  minimum={least:F3} ms  {flops / least / 1e6:F1} GFLOP/s");
    }
}
