using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Pictures;
using Sprint.Model.Sampling;
using Sprint.Model.Training;

namespace Sprint.Train;

/// <summary>The command <c>sample</c>: draws images of given classes from a checkpoint.</summary>
internal static class SampleCommand
{
    internal static Command Create()
    {
        var checkpoint = new Option<string>("--checkpoint")
        {
            Description = "A run's folder, one of its checkpoints, or a .safetensors file with the reference's tensor names.",
            Required = true,
            HelpName = "PATH",
        };
        var configuration = new Option<string?>("--config") { Description = "The run's YAML; without it the config.yaml beside the checkpoint.", HelpName = "FILE" };
        var guidance = new Option<string?>("--guidance") { Description = "pdg (path-drop), cfg (classifier-free) or none.", HelpName = "KIND" };
        var scale = new Option<double?>("--scale") { Description = "Guidance scale, from 0 to 100: 1 is none, 0 forgets the class.", HelpName = "NUMBER" };
        var low = new Option<double?>("--guidance-low") { Description = "Lowest time at which guidance acts.", HelpName = "T" };
        var high = new Option<double?>("--guidance-high") { Description = "Highest time at which guidance acts.", HelpName = "T" };
        var steps = new Option<int?>("--steps") { Description = "Steps of the sampler.", HelpName = "COUNT" };
        var sampler = new Option<string?>("--sampler") { Description = "ode or sde.", HelpName = "KIND" };
        var classes = new Option<string?>("--classes") { Description = "Classes, one row each: 0,3,7 or 0-9. Without it the first ten.", HelpName = "LIST" };
        var count = new Option<int>("--count") { Description = "Samples of each class.", DefaultValueFactory = _ => 8, HelpName = "COUNT" };
        var seed = new Option<long>("--seed") { Description = "Determines the noise.", HelpName = "NUMBER" };
        var output = new Option<string>("--out")
        {
            Description = "A .png with a grid, or a .safetensors with the raw values (latents).",
            DefaultValueFactory = _ => "grid.png",
            HelpName = "FILE",
        };
        var device = new DeviceOption();
        var precision = new PrecisionOption("without it that of the run where the device has it, else fp32");
        var command = new Command(
            "sample",
            """
            Draw samples from a checkpoint.
            Examples:
              sprint sample --checkpoint runs/fashion --classes 0-9 --count 8 --out grid.png
              sprint sample --checkpoint runs/fashion --guidance cfg --scale 2 --sampler sde --steps 100
            """)
        {
            checkpoint, configuration, guidance, scale, low, high, steps, sampler, classes, count, seed, output,
        };
        device.AddTo(command);
        precision.AddTo(command);
        command.SetAction((result, cancellation) =>
        {
            string path = result.GetRequiredValue(checkpoint);
            (string weights, string? beside) = FindWeights(path);
            TrainingConfiguration run = ReadConfiguration(result.GetValue(configuration) ?? beside, path);
            SamplesConfiguration settings = run.Samples with
            {
                Guidance = Choose(result.GetValue(guidance), run.Samples.Guidance, "--guidance"),
                Sampler = Choose(result.GetValue(sampler), run.Samples.Sampler, "--sampler"),
                Scale = InRange(result.GetValue(scale) ?? run.Samples.Scale, 0, 100, "--scale"),
                GuidanceLow = InRange(result.GetValue(low) ?? run.Samples.GuidanceLow, 0, 1, "--guidance-low"),
                GuidanceHigh = InRange(result.GetValue(high) ?? run.Samples.GuidanceHigh, 0, 1, "--guidance-high"),
                Steps = (int)InRange(result.GetValue(steps) ?? run.Samples.Steps, 1, 100_000, "--steps"),
                PerClass = (int)InRange(result.GetValue(count), 1, 1000, "--count"),
            };
            settings.Validate();
            Precision? chosenPrecision = precision.Get(result);
            long chosenSeed = result.GetValue(seed);
            if (chosenSeed < 0)
            {
                throw new SprintException($"--seed {chosenSeed} must be from 0 to {long.MaxValue}");
            }

            return Task.FromResult(Run(
                () => device.Open(result), chosenPrecision, weights, run, settings, result.GetValue(classes), chosenSeed, result.GetValue(output)!, cancellation));
        });
        return command;
    }

    private static int Run(
        Func<Device> open,
        Precision? precision,
        string weights,
        TrainingConfiguration run,
        SamplesConfiguration settings,
        string? classList,
        long seed,
        string output,
        CancellationToken cancellation)
    {
        string extension = Path.GetExtension(output);
        if (extension is not (".png" or ".safetensors"))
        {
            throw new SprintException($"--out '{output}' must end in .png or .safetensors");
        }

        int[] classes = ParseClasses(classList, run.Model.NumClasses);
        CheckpointStore.CheckFile(weights);
        using Device device = open();
        if (!device.Executes)
        {
            throw new SprintException($"device {device.Name} computes no samples: choose cpu, emulated or cuda");
        }

        Precision used = precision ?? (device.Computes(run.Precision.ElementType()) ? run.Precision : Precision.Fp32);
        using var model = new SprintTransformer(device, run.Model, precision: used);
        using (SafetensorsFile file = SafetensorsFile.Open(weights))
        {
            ModelWeights.Load(file, model.Parameters);
        }

        int[] labels = [.. classes.SelectMany(label => Enumerable.Repeat(label, settings.PerClass))];
        float[] images = Draw(model, labels, run, settings, seed, cancellation);
        Save(output, extension, images, classes, run, settings);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{labels.Length} samples of {weights} by {settings.Steps} {settings.Sampler.ToString().ToUpperInvariant()} steps, {settings.GuidanceText}, {used.Name()}: {output}"));
        return ExitCode.Success;
    }

    private static float[] Draw(
        SprintTransformer model, int[] labels, TrainingConfiguration run, SamplesConfiguration settings, long seed, CancellationToken cancellation)
    {
        float[] images = [];
        AnsiConsole.Progress().Start(context =>
        {
            ProgressTask task = context.AddTask("sampling", maxValue: (double)settings.Steps * SampleDrawer.Chunks(labels.Length));
            images = SampleDrawer.Draw(model, labels, settings, run.Loss.PathType, seed, new Progress(task), cancellation);
            task.Value = task.MaxValue;
        });
        return images;
    }

    private static void Save(
        string output, string extension, float[] images, int[] classes, TrainingConfiguration run, SamplesConfiguration settings)
    {
        ModelConfiguration model = run.Model;
        if (extension == ".safetensors")
        {
            var writer = new SafetensorsWriter();
            writer.Add("samples", [classes.Length * settings.PerClass, model.InChannels, model.ContextSize, model.ContextSize], images);
            writer.Add("labels", [classes.Length * settings.PerClass], classes.SelectMany(label => Enumerable.Repeat(label, settings.PerClass)).ToArray());
            writer.Save(output);
            return;
        }

        IReadOnlyList<string> names = ClassNames(run);
        SampleGrid.SavePng(output, images, model.InChannels, model.ContextSize, model.ContextSize, new SampleGridOptions
        {
            Columns = settings.PerClass,
            RowLabels = [.. classes.Select(label => label < names.Count ? names[label] : label.ToString(CultureInfo.InvariantCulture))],
        });
    }

    /// <summary>The names of the data's classes, where the data are at hand: a nicety, not a need.</summary>
    private static IReadOnlyList<string> ClassNames(TrainingConfiguration run)
    {
        try
        {
            using Model.Data.IImageDataset dataset = Model.Data.DatasetFactory.Open(run.Data with { Path = ProjectFiles.Find(run.Data.Path) });
            return dataset.ClassNames;
        }
        catch (SprintException)
        {
            return [];
        }
    }

    private static (string Weights, string? Configuration) FindWeights(string path)
    {
        if (File.Exists(path))
        {
            string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, CheckpointStore.ConfigurationFile);
            return (path, File.Exists(beside) ? beside : null);
        }

        string folder = path;
        if (Directory.Exists(Path.Combine(path, "checkpoints")))
        {
            folder = new CheckpointStore(Path.Combine(path, "checkpoints")).FindWhole(out IReadOnlyList<DamagedCheckpoint> damaged)
                ?? throw new SprintException($"the run '{path}' has no checkpoint yet");
            if (damaged.Count > 0)
            {
                throw new SprintException($"the newest checkpoint of '{path}' is damaged, {damaged[0].Reason}; the newest that is whole is {folder}: name it to sample from it");
            }
        }

        string average = Path.Combine(folder, CheckpointStore.AverageFile);
        return File.Exists(average)
            ? (average, Path.Combine(folder, CheckpointStore.ConfigurationFile))
            : throw new SprintException($"'{path}' is no checkpoint: give a run's folder, one of its checkpoints, or a .safetensors file");
    }

    private static TrainingConfiguration ReadConfiguration(string? file, string checkpoint)
    {
        if (file is null)
        {
            throw new SprintException($"there is no {CheckpointStore.ConfigurationFile} beside '{checkpoint}': name the model's YAML with --config");
        }

        TrainingConfiguration run = ConfigurationReader.Read<TrainingConfiguration>(ProjectFiles.Find(file));
        run.Model.Validate();
        return run;
    }

    private static T Choose<T>(string? text, T otherwise, string option)
        where T : struct, Enum
    {
        if (text is null)
        {
            return otherwise;
        }

        string? name = Enum.GetNames<T>().FirstOrDefault(candidate => candidate.Equals(text, StringComparison.OrdinalIgnoreCase));
        return name is null
            ? throw new SprintException($"{option} '{text}' is not known: choose {string.Join(", ", Enum.GetNames<T>().Select(candidate => candidate.ToLowerInvariant()))}")
            : Enum.Parse<T>(name);
    }

    private static double InRange(double value, double least, double most, string option) => value >= least && value <= most
        ? value
        : throw new SprintException(string.Create(CultureInfo.InvariantCulture, $"{option} {value} must be from {least:0.###} to {most:0.###}"));

    private static int[] ParseClasses(string? list, int classes)
    {
        if (list is null)
        {
            return [.. Enumerable.Range(0, Math.Min(10, classes))];
        }

        var parsed = new List<int>();
        foreach (string part in list.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] ends = part.Split('-');
            int last = -1;
            bool valid = int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
                && (ends.Length == 1 || (ends.Length == 2 && int.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out last)));
            last = ends.Length == 1 ? first : last;
            if (!valid || last < first || last >= classes)
            {
                throw new SprintException($"--classes '{list}': '{part}' is no class or range of classes from 0 to {classes - 1}");
            }

            parsed.AddRange(Enumerable.Range(first, last - first + 1));
        }

        return [.. parsed];
    }

    private sealed class Progress(ProgressTask task) : ISamplerObserver
    {
        private long begun;

        /// <summary>Steps are counted here: their numbers begin anew with each chunk of samples.</summary>
        public void Step(int step, double time, ReadOnlySpan<double> state) => task.Value = begun++;
    }
}
