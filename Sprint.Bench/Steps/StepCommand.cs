using System.CommandLine;
using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Steps;

/// <summary>What is measured.</summary>
/// <param name="Model">The model.</param>
/// <param name="Ratios">Drop ratios; the dense step is measured always.</param>
/// <param name="Batch">Images of a step.</param>
/// <param name="Trains">Whether steps train; else they are forward passes.</param>
/// <param name="Rounds">Measured steps of each ratio.</param>
/// <param name="Warmup">Steps of each ratio before.</param>
/// <param name="Profiles">Whether operations are timed too.</param>
/// <param name="Precision">In what the model computes.</param>
internal sealed record StepRequest(
    ModelConfiguration Model, IReadOnlyList<double> Ratios, int Batch, bool Trains, int Rounds, int Warmup, bool Profiles, Precision Precision = Precision.Fp32);

/// <summary>The command <c>step</c>: times whole training steps, or forward passes, by drop ratio.</summary>
internal static class StepCommand
{
    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        StepModelOptions model = new();
        OutputOptions output = new(hasChart: true);
        Option<string> mode = Arguments.Word("--mode", "train: noise, forward, backward, clip, AdamW and moving average; forward: the model alone.", "train", "forward");
        Option<int> batch = Arguments.Number("--batch", "Images in a step.", 32, 1, 1 << 16);
        Option<string> device = new("--device") { Description = "Where to run: cpu, cuda, cuda:N, emulated (slow: every access is checked) or auto.", DefaultValueFactory = _ => "cpu", HelpName = "NAME" };
        Option<string> precision = Arguments.Word("--precision", "In what the model computes; bf16 on cuda and emulated.", "fp32", "bf16");
        Option<int> threads = Arguments.Threads();
        Option<int> steps = Arguments.Number("--steps", "How many steps of each ratio are measured.", 20, 1, 1_000_000);
        Option<int> warmup = Arguments.Number("--warmup", "How many steps of each ratio run before.", 5, 0, 1_000_000);
        Option<bool> profile = new("--profile") { Description = "Also time each operation, in steps of their own." };
        Command command = new(
            "step",
            """
            Times training steps, the ratios' in turn, and says how much of the saving of FLOPs became time. The dense step is measured always.
            Examples:
              step
              step --drop 0.5,0.75 --profile
              step --hidden 256 --heads 4 --side 16 --patch 2 --batch 16 --mid 8 --drop 0.75
              step --model S --batch 4 --steps 5 --warmup 1 --json step.json
              step --mode forward --threads 1 --chart step.svg
            """) { mode, batch, device, precision, threads, steps, warmup, profile };
        model.AddTo(command);
        output.AddTo(command);
        command.SetAction(result =>
        {
            output.Check(result);
            StepRequest request = new(
                model.Read(result),
                result.GetValue(model.Drop)!,
                result.GetValue(batch),
                result.GetValue(mode) == "train",
                result.GetValue(steps),
                result.GetValue(warmup),
                result.GetValue(profile),
                result.GetValue(precision) == "bf16" ? Precision.Bf16 : Precision.Fp32);
            request.Model.Validate();
            using Device opened = Open(result.GetValue(device)!, result.GetValue(threads));
            output.Write(Measure(request, opened), result);
            return 0;
        });
        return command;
    }

    /// <summary>Opens a device that computes.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="threads">Threads of the host.</param>
    /// <exception cref="SprintException">There is none, or it runs no model.</exception>
    public static Device Open(string name, int threads)
    {
        if (name == "dryrun")
            throw new SprintException("--device dryrun computes nothing that could be timed: flops counts on it; measure on cpu, cuda, cuda:N or emulated");
        Device device = DeviceSelection.Open(name, threads);
        try
        {
            DeviceSelection.RequireEveryOperation(device);
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>Measures.</summary>
    /// <param name="request">What.</param>
    /// <param name="device">Where.</param>
    /// <exception cref="SprintException">A ratio cannot be had, or memory does not suffice.</exception>
    public static BenchResults Measure(StepRequest request, Device device)
    {
        DropPattern[] patterns = [.. request.Ratios.Prepend(0).Distinct().Select(ratio => ModelOptions.Pattern(request.Model, ratio))];
        using StepRunner runner = new(device, request.Model, request.Batch, request.Trains, request.Precision);
        double? before = Peak(device, request.Precision);
        int parts = patterns.Length * (request.Rounds + request.Warmup);
        IReadOnlyList<StepTimes> times = ProgressDisplay.Run(
            $"{parts} steps on {device.Name}", parts, done => StepMeasurement.Run(runner, patterns, request.Rounds, request.Warmup, done));
        double? peak = Peak(device, request.Precision) is { } after ? Math.Max(after, before ?? 0) : null;
        BenchResults results = StepReport.Describe(runner, request, times, peak);
        return request.Profiles ? results with { Tables = [.. results.Tables, .. times.Select(found => Profile(runner, found))] } : results;
    }

    /// <summary>The device's peak: measured on the processor, published of a GPU.</summary>
    private static double? Peak(Device device, Precision precision) => device switch
    {
        CpuDevice cpu => PeakCommand.Measure(cpu.Threads),
        CudaDevice { Context.Device.IsEmulated: false } cuda =>
            PublishedRates.Of(cuda.Context.Device) is { } rates
                ? precision == Precision.Bf16 ? rates.TensorFlops : rates.SingleFlops
                : null,
        _ => null,
    };

    private static ResultTable Profile(StepRunner runner, StepTimes times)
    {
        int steps = Math.Max(1, times.Seconds.Length / 2);
        if (runner.Replays)
            runner.Launch(times.Pattern);
        Account account = runner.Device.Account;
        account.ResetOperations();
        account.MeasuresTime = true;
        for (int i = 0; i < steps; i++)
        {
            runner.Launch(times.Pattern);
            account.StopTime();
        }

        account.MeasuresTime = false;
        return StepReport.Profile(account, times.Ratio, steps);
    }
}
