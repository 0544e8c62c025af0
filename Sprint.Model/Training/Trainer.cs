using System.Buffers.Binary;
using System.Security.Cryptography;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Data;
using Sprint.Model.Network;

namespace Sprint.Model.Training;

/// <summary>What a resumed run goes on from.</summary>
/// <param name="Checkpoint">The checkpoint's folder, or null where there is none yet.</param>
/// <param name="Damaged">Newer checkpoints that were damaged, by the folders into which they were set aside.</param>
/// <param name="Changes">What of the configuration differs from what the run had.</param>
public sealed record ResumedRun(string? Checkpoint, IReadOnlyList<DamagedCheckpoint> Damaged, IReadOnlyList<ConfigurationChange> Changes);

/// <summary>
/// Runs the stages of a configuration: takes images in shuffled order, steps, logs, saves checkpoints and pictures. A run that
/// was interrupted at any moment and resumed has the same bits as one that was not, as every draw is a function of the step.
/// </summary>
public sealed partial class Trainer : IDisposable
{
    private readonly Device device;
    private readonly TrainingConfiguration configuration;
    private readonly IImageDataset dataset;
    private readonly RunFolder folder;
    private readonly ITrainingObserver observer;
    private readonly EpochNoise? noise;
    private readonly FeatureFile? featureFile;
    private readonly SprintTransformer model;
    private readonly AdamW optimizer;
    private readonly TrainingStep step;
    private readonly EpochShuffler shuffler;
    private readonly Action prepareNext;
    private RunState state;
    private float[] images = [];
    private float[] features = [];
    private int[] labels = [];
    private int[] chosen = [];
    private double? denseRatio;
    private DataPosition upcoming;
    private PreparedBatch? prepared;
    private string? captureProblem;

    /// <summary>Prepares a run.</summary>
    /// <param name="device">Where to train.</param>
    /// <param name="configuration">The run.</param>
    /// <param name="dataset">What to learn from.</param>
    /// <param name="folder">Where to write.</param>
    /// <param name="observer">Hears of progress.</param>
    /// <param name="noise">The noise of the data's latents, told the epoch before each read; or null.</param>
    /// <param name="features">Another network's features of the data's images, where the model is aligned with them; else null.</param>
    /// <exception cref="SprintException">Data and model do not fit, or the configuration is not valid.</exception>
    public Trainer(
        Device device,
        TrainingConfiguration configuration,
        IImageDataset dataset,
        RunFolder folder,
        ITrainingObserver observer,
        EpochNoise? noise = null,
        FeatureFile? features = null)
    {
        Check(configuration, dataset, features);
        this.device = device;
        this.configuration = configuration;
        this.dataset = dataset;
        this.folder = folder;
        this.observer = observer;
        this.noise = noise;
        featureFile = features;
        model = new SprintTransformer(device, configuration.Model, (ulong)configuration.Seed, configuration.Precision);
        try
        {
            optimizer = new AdamW(device, model.Parameters.All);
            step = new TrainingStep(model, optimizer, configuration.Loss, (ulong)configuration.Seed) { Captures = configuration.CudaGraphs };
        }
        catch
        {
            // Where memory is short what was had is given back.
            Dispose();
            throw;
        }

        prepareNext = PrepareNext;
        shuffler = new EpochShuffler((ulong)configuration.Seed, dataset.Count);
        state = new RunState { Data = Describe(dataset, features) };
    }

    /// <summary>The model that is trained.</summary>
    public SprintTransformer Model => model;

    /// <summary>Where the run is.</summary>
    public RunState State => state;

    /// <summary>
    /// Goes back to the newest checkpoint of the run's folder that is whole; without any the run begins at its start. Newer ones that
    /// are damaged are set aside: their steps are done again, with the same bits.
    /// </summary>
    /// <returns>What was found.</returns>
    /// <exception cref="SprintException">
    /// Every checkpoint is damaged; or the configuration or the data changed in what may not change; or the checkpoint is beyond the stages.
    /// </exception>
    public ResumedRun Resume()
    {
        using IDisposable hold = folder.Hold();
        string? checkpoint = folder.Checkpoints.FindWhole(out IReadOnlyList<DamagedCheckpoint> damaged);
        if (checkpoint is null)
        {
            return new ResumedRun(null, [], []);
        }

        TrainingConfiguration before = CheckpointStore.LoadConfiguration(checkpoint);
        RunState saved = CheckpointStore.LoadState(checkpoint);
        ResumeRules.Reopen(before, configuration, saved);
        IReadOnlyList<ConfigurationChange> changes = ResumeRules.Check(before, configuration, saved);
        if (saved.Data != state.Data)
        {
            throw new SprintException($"the run was begun with {saved.Data}, but the data are now {state.Data}: give it its data back, or begin a new run");
        }

        CheckFit(checkpoint, saved);
        CheckpointStore.Load(checkpoint, model, optimizer);
        state = saved;
        return new ResumedRun(checkpoint, [.. damaged.Select(bad => bad with { Path = folder.Checkpoints.SetAside(bad) })], changes);
    }

    private void CheckFit(string checkpoint, RunState loaded)
    {
        long before = configuration.Stages.Take(loaded.Stage).Sum(stage => (long)stage.Steps);
        bool fits = loaded.Stage < configuration.Stages.Count
            ? loaded.StageStep <= configuration.Stages[loaded.Stage].Steps
            : loaded.Stage == configuration.Stages.Count && loaded.StageStep == 0;
        fits &= loaded.Accounts.Count == loaded.Stage || (loaded.Accounts.Count == loaded.Stage + 1 && loaded.Stage < configuration.Stages.Count);
        if (!fits || before + loaded.StageStep != loaded.Step || loaded.EpochIndex >= dataset.Count)
        {
            throw new SprintException(
                $"{checkpoint}: step {loaded.Step} (stage {loaded.Stage + 1}, its step {loaded.StageStep}) does not fit the stages of the configuration or the data: resume with the steps that the run began with");
        }
    }

    /// <summary>Trains to the end of the last stage, or until cancelled; either way a checkpoint is left.</summary>
    /// <param name="cancellation">Cancelled, the step at hand is finished and saved.</param>
    /// <returns>Whether the run reached its end.</returns>
    /// <exception cref="NotFiniteLossException">The loss is no number: the last checkpoint is the last good one.</exception>
    public bool Run(CancellationToken cancellation = default)
    {
        using IDisposable hold = folder.Hold();
        folder.Write(configuration);
        using var metrics = new MetricsLog(folder.Metrics, state.Step);
        if (!File.Exists(folder.Samples(state.Step)))
        {
            // The run was stopped between the step and its picture.
            DrawSamples(metrics, cancellation);
        }

        // Nothing has been done yet that the checkpoint at hand lacks.
        bool saved = true;
        while (state.Stage < configuration.Stages.Count)
        {
            StageConfiguration stage = configuration.Stages[state.Stage];
            DropPattern pattern = stage.Pattern(configuration.Model);
            StageAccount account = BeginStage(stage, pattern, cancellation);
            while (state.StageStep < stage.Steps)
            {
                if (cancellation.IsCancellationRequested)
                {
                    if (!saved)
                    {
                        SaveCheckpoint(metrics);
                    }

                    DrawLoss(metrics);
                    return false;
                }

                StepReport report = Step(stage, pattern, account);
                metrics.Add(report);
                observer.StepDone(report);
                saved = state.Step % configuration.Checkpoints.Every == 0 && state.StageStep < stage.Steps;
                if (saved)
                {
                    SaveCheckpoint(metrics);
                }

                DrawSamples(metrics, cancellation);
            }

            state.Stage++;
            state.StageStep = 0;
            SaveCheckpoint(metrics);
            saved = true;
        }

        DrawLoss(metrics);
        DrawGrid(CancellationToken.None);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        step?.Dispose();
        optimizer?.Dispose();
        model.Dispose();
    }

    /// <summary>Checks that a run can begin, before anything is written.</summary>
    /// <param name="configuration">The run.</param>
    /// <param name="dataset">What to learn from.</param>
    /// <param name="features">Another network's features of the data's images, or null.</param>
    /// <exception cref="SprintException">Data, features and model do not fit, or the configuration is not valid.</exception>
    public static void Check(TrainingConfiguration configuration, IImageDataset dataset, FeatureFile? features = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(dataset);
        configuration.Validate();
        ModelConfiguration model = configuration.Model;
        if (dataset.Channels != model.InChannels || dataset.Height != model.ContextSize || dataset.Width != model.ContextSize)
        {
            throw new SprintException(
                $"the data are {dataset.Channels} x {dataset.Height} x {dataset.Width}, the model takes {model.InChannels} x {model.ContextSize} x {model.ContextSize}: set model.in_channels and model.context_size, or data.channels and data.image_size");
        }

        if (dataset.Classes > model.NumClasses)
        {
            throw new SprintException($"the data have {dataset.Classes} classes, the model {model.NumClasses}: set model.num_classes to {dataset.Classes}");
        }

        FeatureFile.Check(features, configuration, dataset.Count);
    }

    /// <summary>
    /// Number, size and labels, and what features there are: other data, or images added or taken away, give another order and another run.
    /// </summary>
    private static string Describe(IImageDataset dataset, FeatureFile? features)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> label = stackalloc byte[sizeof(int)];
        for (int i = 0; i < dataset.Count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(label, dataset.Label(i));
            hash.AppendData(label);
        }

        string labels = Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
        return $"{dataset.Count} images of {dataset.Channels} x {dataset.Height} x {dataset.Width} with labels {labels}{(features is null ? "" : $", features {features.Fingerprint} of {features.Tokens} x {features.Width}")}";
    }
}
