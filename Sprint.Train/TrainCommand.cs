using System.CommandLine;
using System.Runtime.InteropServices;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Data;
using Sprint.Model.Training;

namespace Sprint.Train;

/// <summary>The command <c>train</c>: runs the stages of a configuration, or continues a run.</summary>
internal static class TrainCommand
{
    private const string DefaultConfiguration = "configs/fashion.yaml";
    private const string RunsFolder = "runs";

    internal static Command Create()
    {
        var configuration = new Argument<string>("CONFIG")
        {
            Description = "The run's YAML file.",
            DefaultValueFactory = _ => DefaultConfiguration,
        };
        var output = new Option<string?>("--out") { Description = "The run's folder; without it a new one under runs/.", HelpName = "FOLDER" };
        var resume = new Option<bool>("--resume")
        {
            Description = "Continue the run in --out, or the newest one of this configuration under runs/, from its last checkpoint. "
                + "It keeps its own configuration; --set may change steps and learning rates to come, pictures, checkpoints.",
        };
        var set = new Option<string[]>("--set")
        {
            Description = "Change a value: stage1.steps=100, model.hidden_size=64. Can be repeated.",
            HelpName = "KEY=VALUE",
            AllowMultipleArgumentsPerToken = false,
        };
        var device = new DeviceOption();
        var precision = new PrecisionOption("without it what the configuration says");
        var command = new Command(
            "train",
            """
            Train a model by its stages, with samples and an account of the compute that token dropping saved.
            Examples:
              sprint train
              sprint train configs/smoke.yaml --set stage1.steps=50 --out runs/try
              sprint train --resume --out runs/fashion
              sprint train configs/imagenet256-xl.yaml --device dryrun --precision bf16
            """)
        {
            configuration, output, resume, set,
        };
        device.AddTo(command);
        precision.AddTo(command);
        command.SetAction(result => Run(
            result.GetRequiredValue(configuration),
            result.GetResult(configuration) is { Implicit: false },
            result.GetValue(output),
            result.GetValue(resume),
            precision.AddTo(result.GetValue(set) ?? [], result),
            () => device.Open(result),
            result.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(string configurationPath, bool configurationGiven, string? output, bool resume, string[] overrides, Func<Device> open, TextWriter error)
    {
        Given(configurationPath, "CONFIG");
        Given(output, "--out");
        using Device device = open();
        if (!device.Executes)
        {
            TrainingConfiguration counted = ConfigurationReader.Read<TrainingConfiguration>(ProjectFiles.Find(configurationPath), overrides);
            return DryRunReport.Print(counted);
        }

        using var cancellation = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        RunFolder? opened = null;
        TrainingConfiguration configuration = resume
            ? OpenRun(configurationPath, configurationGiven, output, overrides, error, out opened)
            : ConfigurationReader.Read<TrainingConfiguration>(ProjectFiles.Find(configurationPath), overrides);
        FeatureFile.RequireNamed(configuration);
        configuration.Validate();
        configuration.Model.RequireOn(device);
        configuration.Precision.RequireOn(device);
        var noise = new EpochNoise((ulong)configuration.Seed);
        using IImageDataset dataset = OpenData(configuration.Data, noise);

        using FeatureFile? features = configuration.Data.Features is { } file ? OpenFeatures(file) : null;

        // A new run's folder appears once nothing is left that the user might have to mend first.
        Trainer.Check(configuration, dataset, features);
        RunFolder folder = opened ?? RunFolder.Create(output ?? FreeRun(RunName(configurationPath)), configuration);
        using var display = new TrainingDisplay(configuration, device, dataset, folder);
        using var trainer = new Trainer(device, configuration, dataset, folder, display, noise, features);
        if (resume)
        {
            Tell(trainer.Resume(), folder, trainer.State.Step, error);
        }

        bool finished = display.Run(() => trainer.Run(cancellation.Token));
        AccountReport.Print(configuration, trainer.State);
        if (finished)
        {
            Console.WriteLine($"samples: {folder.Samples(trainer.State.Step)}");
            Console.WriteLine($"loss:    {folder.LossChart}");
            return ExitCode.Success;
        }

        Console.WriteLine($"stopped after step {trainer.State.Step}; continue with: sprint train --resume --out {Quote(folder.Path)}");
        return ExitCode.Interrupted;

        void Stop(PosixSignalContext signal)
        {
            // The second Ctrl-C ends the process at once; the checkpoints on disk are whole at any moment.
            signal.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }
    }

    /// <summary>Says what a run goes on from, and what is not as the user might think.</summary>
    private static void Tell(ResumedRun resumed, RunFolder folder, long step, TextWriter error)
    {
        foreach (DamagedCheckpoint damaged in resumed.Damaged)
        {
            error.WriteLine($"a checkpoint is damaged and set aside as {damaged.Path}: {damaged.Reason}");
        }

        Console.WriteLine(resumed.Checkpoint is null
            ? $"{folder.Path} has no checkpoint yet: beginning at step 1"
            : $"resuming after step {step} from {resumed.Checkpoint}{(resumed.Damaged.Count > 0 ? ", the newest that is whole" : "")}");
        if (resumed.Changes.Count > 0)
        {
            Console.WriteLine($"changed from here on: {string.Join(", ", resumed.Changes.Select(change => $"{change.Key} {change.Before} -> {change.Now}"))}");
        }
    }

    /// <summary>A run goes on with its own configuration and what <c>--set</c> changes: a CONFIG that says otherwise is told.</summary>
    private static TrainingConfiguration OpenRun(
        string configurationPath, bool configurationGiven, string? output, string[] overrides, TextWriter error, out RunFolder folder)
    {
        string name = RunName(configurationPath);
        string path = output ?? NewestRun(name)
            ?? throw new SprintException($"there is no run of '{name}' under {RunsFolder}/ to resume: name its folder with --out");
        folder = RunFolder.Open(path, overrides, out TrainingConfiguration configuration);
        if (configurationGiven)
        {
            TrainingConfiguration named = ConfigurationReader.Read<TrainingConfiguration>(ProjectFiles.Find(configurationPath), overrides);
            if (ConfigurationComparison.Compare(configuration, named) is { Count: > 0 } differences)
            {
                const int Shown = 3;
                string shown = string.Join(", ", differences.Take(Shown).Select(difference => $"{difference.Key} is {difference.Before}, not {difference.Now}"));
                string more = differences.Count > Shown ? $", and {differences.Count - Shown} more values differ" : "";
                error.WriteLine($"'{path}' goes on with its own configuration, not that of {configurationPath}: {shown}{more}; --set changes what may change");
            }
        }

        return configuration;
    }

    /// <summary>Refuses an empty name, as an unset shell variable gives it.</summary>
    private static void Given(string? path, string what)
    {
        if (path is not null && path.Trim().Length == 0)
        {
            throw new SprintException($"{what} is empty: give a path");
        }
    }

    private static string RunName(string configurationPath) => Path.GetFileNameWithoutExtension(configurationPath);

    private static string Quote(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;

    private static FeatureFile OpenFeatures(string path)
    {
        try
        {
            return FeatureFile.Open(ProjectFiles.Find(path));
        }
        catch (SprintException exception)
        {
            throw new SprintException($"data.features: {exception.Message}", exception);
        }
    }

    private static IImageDataset OpenData(DatasetSettings settings, EpochNoise noise)
    {
        IImageDataset dataset = null!;
        AnsiConsole.Status().Start("reading data", context => dataset = DatasetFactory.Open(
            settings with { Path = ProjectFiles.Find(settings.Path) },
            noise.Fill,
            (done, all) => context.Status($"checking images: {done} of {all}")));
        if (dataset is ImageFolderDataset { BadFiles: { Count: > 0 } bad })
        {
            const int Shown = 10;
            AnsiConsole.WriteLine($"{bad.Count} files are no images and are left out:");
            foreach (BadFile file in bad.Take(Shown))
            {
                Console.WriteLine($"  {file.Path}: {file.Reason}");
            }

            if (bad.Count > Shown)
            {
                AnsiConsole.WriteLine($"  and {bad.Count - Shown} more");
            }
        }

        if (dataset is ImageFolderDataset { OtherFiles: { Count: > 0 } others })
        {
            Console.WriteLine($"left out as no PNG, JPEG or WebP file: {others[0]}{(others.Count > 1 ? $" and {others.Count - 1} more" : "")}");
        }

        return dataset;
    }

    private static string FreeRun(string name)
    {
        string path = Path.Combine(RunsFolder, name);
        for (int number = 2; Directory.Exists(path); number++)
        {
            path = Path.Combine(RunsFolder, $"{name}-{number}");
        }

        return path;
    }

    /// <summary>The newest of the folders that <see cref="FreeRun"/> names after a configuration.</summary>
    private static string? NewestRun(string name) => Directory.Exists(RunsFolder)
        ? Directory.GetDirectories(RunsFolder)
            .Where(path => Path.GetFileName(path) is { } run && (run == name
                || (run.StartsWith(name + "-", StringComparison.Ordinal) && run[(name.Length + 1)..].All(char.IsAsciiDigit))))
            .MaxBy(Directory.GetLastWriteTimeUtc)
        : null;
}
