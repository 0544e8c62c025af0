using System.CommandLine;
using System.Diagnostics;
using Sprint.Engine.Emulation;

namespace Sprint.Bench;

/// <summary>The command <c>emulator</c>: how fast the PTX emulator executes kernels, all checks on.</summary>
internal static class EmulatorCommand
{
    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Option<int> threads = Arguments.Threads();
        Option<int> steps = Arguments.Number("--steps", "How many times each kernel is measured.", 5, 1, 1_000_000);
        Option<string> kernel = Arguments.Word("--kernel", "Which kernel.", ["all", .. EmulatorWorkload.Names]);
        Option<string> counters = Arguments.Word("--counters", "Whether sectors, bank conflicts and divergence are counted too.", "off", "on");
        Command command = new(
            "emulator",
            """
            Times the PTX emulator on kernels of Emulator/emulator.cu with all checks on.
            Examples:
              emulator
              emulator --kernel tensor_product --threads 1 --counters on
            """) { threads, steps, kernel, counters };
        command.SetAction(result =>
        {
            EmulationOptions options = new() { Workers = result.GetValue(threads), Counters = result.GetValue(counters) == "on" };
            using EmulatorWorkload workload = new(options);
            foreach (string name in EmulatorWorkload.Names)
            {
                if (result.GetValue(kernel) is "all" || result.GetValue(kernel) == name)
                    Time(workload, name, result.GetValue(steps));
            }

            return 0;
        });
        return command;
    }

    private static void Time(EmulatorWorkload workload, string kernel, int steps)
    {
        LaunchStatistics statistics = workload.Run(kernel);
        double[] seconds = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            workload.Run(kernel);
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(seconds);
        (double median, double least) = (seconds[steps / 2], seconds[0]);
        string tensor = statistics.TensorFlops > 0 ? $"  {statistics.TensorFlops / least / 1e9:F1} GFLOP/s on tensor cores" : string.Empty;
        Console.WriteLine(
            $"emulator {kernel} threads={workload.Options.Workers} counters={(workload.Options.Counters ? "on" : "off")} median={median * 1e3:F1} ms"
            + $"  minimum={least * 1e3:F1} ms  {statistics.LaneInstructions / least / 1e9:F2}e9 lane-instructions/s{tensor}");
    }
}
