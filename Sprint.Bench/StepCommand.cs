using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Training;

namespace Sprint.Bench;

/// <summary>The command <c>step</c>: times whole training steps, or forward passes, on the CPU.</summary>
internal static class StepCommand
{
    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        Option<string> mode = new("--mode")
        {
            Description = "train: noise, forward, backward, clip, AdamW and moving average; forward: the model alone.",
            DefaultValueFactory = _ => "train",
        };
        mode.AcceptOnlyFromAmong("train", "forward");
        Option<int> hidden = Arguments.Number("--hidden", "Width of a token.", 128, 4, 1 << 16);
        Option<int> heads = Arguments.Number("--heads", "Attention heads.", 4, 1, 1 << 12);
        Option<int> side = Arguments.Number("--side", "Tokens along a side of the grid.", 8, 1, 1024);
        Option<int> batch = Arguments.Number("--batch", "Images in a step.", 32, 1, 1 << 16);
        Option<int> enc = Arguments.Number("--enc", "Encoder blocks.", 1, 0, 1024);
        Option<int> mid = Arguments.Number("--mid", "Middle blocks.", 4, 0, 1024);
        Option<int> dec = Arguments.Number("--dec", "Decoder blocks.", 1, 0, 1024);
        Option<double> drop = new("--drop") { Description = "Ratio of tokens that the middle blocks do not see.", DefaultValueFactory = _ => 0.75 };
        Option<int> channels = Arguments.Number("--channels", "Channels of an image.", 1, 1, 1 << 12);
        Option<int> patch = Arguments.Number("--patch", "Side of a patch in pixels.", 4, 1, 256);
        Option<int> threads = Arguments.Number("--threads", "Threads that work.", Environment.ProcessorCount, 1, 1024);
        Option<int> steps = Arguments.Number("--steps", "How many steps are measured.", 20, 1, 1_000_000);
        Option<int> warmup = Arguments.Number("--warmup", "How many steps run before.", 5, 0, 1_000_000);
        Option<bool> profile = new("--profile") { Description = "Also print the time of each operation." };
        Command command = new("step", "Times training steps on the CPU; same flags and same line as the libtorch peer.")
        {
            mode, hidden, heads, side, batch, enc, mid, dec, drop, channels, patch, threads, steps, warmup, profile,
        };
        command.SetAction(result =>
        {
            var model = new ModelConfiguration
            {
                ContextSize = result.GetValue(side) * result.GetValue(patch),
                PatchSize = result.GetValue(patch),
                InChannels = result.GetValue(channels),
                HiddenSize = result.GetValue(hidden),
                NumHeads = result.GetValue(heads),
                EncoderDepth = result.GetValue(enc),
                MiddleDepth = result.GetValue(mid),
                DecoderDepth = result.GetValue(dec),
            };
            return Run(
                model,
                result.GetValue(mode)!,
                result.GetValue(batch),
                result.GetValue(drop),
                result.GetValue(threads),
                result.GetValue(steps),
                result.GetValue(warmup),
                result.GetValue(profile));
        });
        return command;
    }

    private static int Run(
        ModelConfiguration configuration, string mode, int batch, double drop, int threads, int steps, int warmup, bool profile)
    {
        configuration.Validate();
        DropPattern pattern = Pattern(configuration, drop);
        long numbers = batch * (long)configuration.InChannels * configuration.ContextSize * configuration.ContextSize;
        if (numbers > Array.MaxLength)
        {
            throw new SprintException(
                $"--batch {batch} with images of {configuration.InChannels} x {configuration.ContextSize} x {configuration.ContextSize} is {numbers} numbers, more than one array holds: lower --batch, --channels, --side or --patch");
        }

        using var device = new CpuDevice(threads);
        using var model = new SprintTransformer(device, configuration);
        using var optimizer = new AdamW(device, model.Parameters.All);
        using var training = new TrainingStep(model, optimizer, new LossConfiguration(), seed: 0);
        var random = new Random(0);
        var images = new float[numbers];
        for (int i = 0; i < images.Length; i++)
        {
            images[i] = (2 * random.NextSingle()) - 1;
        }

        var labels = new int[batch];
        for (int i = 0; i < batch; i++)
        {
            labels[i] = random.Next(configuration.NumClasses);
        }

        using Tensor image = device.From(new Shape(batch, configuration.InChannels, configuration.ContextSize, configuration.ContextSize), images);
        using Tensor times = device.From(new Shape(batch), new float[batch]);
        using Tensor classes = device.From(new Shape(batch), labels);
        var milliseconds = new double[steps];
        float last = 0;
        long systemAllocations = 0;
        long managedBytes = 0;
        for (int i = 0; i < steps + warmup; i++)
        {
            if (i == warmup)
            {
                device.Account.ResetOperations();
                device.Account.MeasuresTime = profile;
                systemAllocations = device.SystemAllocations;
                managedBytes = GC.GetAllocatedBytesForCurrentThread();
            }

            long start = Stopwatch.GetTimestamp();
            if (mode == "train")
            {
                last = training.Accumulate(images, labels, pattern, i);
                training.Update(new AdamWSettings(1e-4, i + 1), i);
            }
            else
            {
                last = Forward(model, image, times, classes, pattern, i);
            }

            if (i >= warmup)
            {
                milliseconds[i - warmup] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
        }

        managedBytes = GC.GetAllocatedBytesForCurrentThread() - managedBytes;
        device.Account.StopTime();
        Print(configuration, mode, batch, pattern, threads, milliseconds, last);
        if (profile)
        {
            PrintProfile(device.Account, steps);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"memory: {device.Account.PeakBytes / 1048576.0:F1} MiB at the peak, {device.SystemAllocations - systemAllocations} blocks asked of the system and {managedBytes} managed bytes in {steps} warm steps"));
        }

        return 0;
    }

    private static float Forward(SprintTransformer model, Tensor image, Tensor times, Tensor classes, DropPattern pattern, int step)
    {
        Tensor kept = default;
        if (pattern.Kind != DropKind.None)
        {
            using Tensor uniforms = RandomNumbers.Uniform(
                model.Device, TokenDrop.UniformsShape(pattern, image.Shape[0]), new RandomStream(0, (ulong)step));
            kept = TokenDrop.Select(uniforms, pattern);
        }

        using (kept)
        {
            using Tensor output = model.Forward(null, image, times, classes, new TokenSelection(kept, default, false));
            return output.ToArray().Sum();
        }
    }

    /// <summary>A structured mask where a group gives the ratio, else a random one: both keep the same number.</summary>
    private static DropPattern Pattern(ModelConfiguration configuration, double drop)
    {
        int side = configuration.GridSide;
        try
        {
            return DropPattern.Structured(side, side, drop);
        }
        catch (SprintException)
        {
            return DropPattern.Random(side, side, drop);
        }
    }

    /// <summary>The peer's line and its formula: block products and the padded fusion forward, times three for a training step.</summary>
    private static void Print(
        ModelConfiguration configuration, string mode, int batch, DropPattern pattern, int threads, double[] milliseconds, float last)
    {
        Array.Sort(milliseconds);
        double median = milliseconds[milliseconds.Length / 2];
        double width = configuration.HiddenSize;
        double Block(int tokens) => 2 * ((12 * width * width * tokens) + (2.0 * tokens * tokens * width));
        double forward = batch * (((configuration.EncoderDepth + configuration.DecoderDepth) * Block(pattern.Tokens))
            + (configuration.MiddleDepth * Block(pattern.KeptTokens)) + (4 * width * width * pattern.Tokens));
        double flops = (mode == "train" ? 3 : 1) * forward;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"sprint {mode} D={configuration.HiddenSize} H={configuration.NumHeads} N={pattern.Tokens} keep={pattern.KeptTokens} L={configuration.EncoderDepth}+{configuration.MiddleDepth}+{configuration.DecoderDepth} B={batch} threads={threads} median={median:F2} ms/step min={milliseconds[0]:F2}  {flops / median / 1e6:F1} GFLOP/s  img/s={batch / median * 1e3:F1} last={last:F4}"));
    }

    private static void PrintProfile(Account account, int steps)
    {
        double total = account.Entries.Values.Sum(entry => entry.Time.TotalMilliseconds);
        var groups = account.Entries.GroupBy(pair => (pair.Key.Operation, pair.Key.Pass))
            .Select(group => (
                Name: $"{group.Key.Operation} {group.Key.Pass.ToString().ToLowerInvariant()}",
                Milliseconds: group.Sum(pair => pair.Value.Time.TotalMilliseconds),
                Flops: group.Sum(pair => (double)pair.Value.Total.MatrixFlops),
                Bytes: group.Sum(pair => (double)pair.Value.Total.BytesRead + pair.Value.Total.BytesWritten)))
            .OrderByDescending(group => group.Milliseconds);
        foreach ((string name, double milliseconds, double flops, double bytes) in groups)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {name,-36} {milliseconds / steps,9:F3} ms {100 * milliseconds / total,6:F1} %  {flops / milliseconds / 1e6,7:F1} GFLOP/s (products) {bytes / milliseconds / 1e6,6:F1} GB/s"));
        }
    }
}
