using System.Text.Json;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Data;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>A run of a dozen steps that has everything: random, structured and no dropping, accumulation, moments set to zero.</summary>
internal static class TinyRun
{
    public static TrainingConfiguration Configuration { get; } = new()
    {
        Seed = 7,
        Model = new ModelConfiguration
        {
            ContextSize = 8,
            NumClasses = 3,
            HiddenSize = 32,
            NumHeads = 2,
            MiddleDepth = 1,
        },
        Stages =
        [
            new StageConfiguration
            {
                Name = "random", Steps = 4, BatchSize = 6, GradientAccumulationSteps = 2, DropRatio = 0.6, MaskType = MaskType.Random,
                LearningRate = 2e-3, WarmupSteps = 3, EmaDecay = 0.9, EmaRampUp = true,
            },
            new StageConfiguration { Name = "structured", Steps = 4, BatchSize = 4, DropRatio = 0.75, LearningRate = 1e-3, EmaDecay = 0.9 },
            new StageConfiguration
            {
                Name = "dense", Steps = 4, BatchSize = 4, ResetOptimizer = true, LearningRate = 1e-3, LearningRateDecay = LearningRateDecay.Cosine,
                WarmupSteps = 1, WarmupEmaDecay = 0.5, EmaDecay = 0.9, AdamWeightDecay = 0.01,
            },
        ],
        Samples = new SamplesConfiguration { Every = 5, PerClass = 1, Classes = 2, Steps = 2 },
        Checkpoints = new CheckpointsConfiguration { Every = 3, Keep = 2 },
    };

    /// <summary>The run's model with the other MLP and the other modulation.</summary>
    public static ModelConfiguration SwiGluAndLora { get; } = Configuration.Model with { UseSwiglu = true, AdalnType = "lora", AdalnLoraDim = 8 };

    /// <summary>Begins or resumes a run and goes on until the end, or until the steps are done after which it is cancelled.</summary>
    public static RunState Run(string path, int threads = 1, long stopAfter = long.MaxValue, TrainingConfiguration? configuration = null)
    {
        using var device = new CpuDevice(threads) { PoisonsMemory = true };
        return Run(path, device, stopAfter, configuration);
    }

    /// <summary>The same on a device.</summary>
    public static RunState Run(string path, Device device, long stopAfter = long.MaxValue, TrainingConfiguration? configuration = null)
    {
        using var cancellation = new CancellationTokenSource();
        var observer = new RecordingObserver(report =>
        {
            if (report.Step >= stopAfter)
            {
                cancellation.Cancel();
            }
        });
        using var dataset = new PatternDataset();
        using Trainer trainer = Open(path, device, dataset, observer, configuration);
        trainer.Run(cancellation.Token);
        return trainer.State;
    }

    /// <summary>A trainer of a new run, or of the one in the folder after its last checkpoint.</summary>
    public static Trainer Open(
        string path, Device device, PatternDataset dataset, ITrainingObserver? observer = null, TrainingConfiguration? configuration = null, FeatureFile? features = null)
    {
        bool resumes = File.Exists(Path.Combine(path, "config.yaml"));
        TrainingConfiguration run = configuration ?? Configuration;
        RunFolder folder = resumes ? RunFolder.Open(path, [], out run) : RunFolder.Create(path, run);
        var trainer = new Trainer(device, run, dataset, folder, observer ?? new RecordingObserver(), features: features);
        try
        {
            trainer.Resume();
            return trainer;
        }
        catch
        {
            trainer.Dispose();
            throw;
        }
    }

    /// <summary>Every tensor file of the newest checkpoint, and its state without what is measured in seconds.</summary>
    public static Dictionary<string, string> Checkpoint(string path)
    {
        string folder = new CheckpointStore(Path.Combine(path, "checkpoints")).Newest ?? throw new FileNotFoundException("no checkpoint", path);
        Dictionary<string, string> content = Directory.GetFiles(folder, "*.safetensors")
            .ToDictionary(file => Path.GetFileName(file), file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))));
        RunState state = RunState.Load(Path.Combine(folder, "state.json"));
        foreach (StageAccount account in state.Accounts)
        {
            account.Seconds = 0;
            account.DenseSeconds *= 0;
        }

        content["state"] = JsonSerializer.Serialize(state);
        return content;
    }

    /// <summary>Each line of the metrics without what is measured in seconds.</summary>
    public static string[] Metrics(string path) =>
        [.. File.ReadLines(Path.Combine(path, "metrics.jsonl")).Select(line => System.Text.RegularExpressions.Regex.Replace(line, "\"seconds\":[^,]*,", ""))];
}
