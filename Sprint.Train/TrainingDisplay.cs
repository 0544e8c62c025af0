using System.Globalization;
using Spectre.Console;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Data;
using Sprint.Model.Training;

namespace Sprint.Train;

/// <summary>
/// Shows a run: a progress bar with loss, images a second, GFLOP/s and time left on a terminal, a line now and then elsewhere.
/// </summary>
internal sealed class TrainingDisplay : ITrainingObserver, IDisposable
{
    /// <summary>Weight of the newest step in the smoothed figures.</summary>
    private const double Smoothing = 0.05;

    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);
    private readonly TrainingConfiguration configuration;
    private readonly bool interactive = AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected;
    private ProgressContext? progress;
    private ProgressTask? task;
    private DateTime lastLine = DateTime.UtcNow;
    private double loss;
    private double projectionLoss;
    private double secondsPerStep;
    private double imagesPerSecond;
    private double flopsPerSecond;
    private string stageName = "";

    internal TrainingDisplay(TrainingConfiguration configuration, Device device, IImageDataset dataset, RunFolder folder)
    {
        this.configuration = configuration;
        ModelConfiguration model = configuration.Model;
        Console.WriteLine($"device  {device.Name}: {device.Description}");
        Console.WriteLine($"data    {dataset.Count} images of {dataset.Channels} x {dataset.Height} x {dataset.Width} in {dataset.Classes} classes");
        Console.WriteLine($"model   width {model.HiddenSize}, {model.NumHeads} heads, blocks {model.EncoderDepth}+{model.MiddleDepth}+{model.DecoderDepth}, patch {model.PatchSize}: {model.Tokens} tokens");
        Console.WriteLine($"run     {folder.Path}");
    }

    public void StageStarted(int index, StageConfiguration stage, StageAccount account)
    {
        stageName = stage.Name.Length > 0 ? stage.Name : $"stage {index + 1}";
        loss = 0;
        secondsPerStep = 0;
        WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{stageName}: {stage.Steps} steps of {stage.BatchSize} images, drop ratio {stage.DropRatio:0.####}, learning rate {stage.LearningRate:g3}"));
        if (progress is not null)
        {
            task?.StopTask();
            task = progress.AddTask(stageName, maxValue: stage.Steps);
            task.Value = account.Steps;
        }
    }

    public void StepDone(in StepReport report)
    {
        bool first = secondsPerStep == 0;
        Smooth(ref loss, report.Loss, first);
        Smooth(ref projectionLoss, report.ProjectionLoss ?? 0, first);
        Smooth(ref secondsPerStep, report.Seconds, first);
        imagesPerSecond = report.Images / secondsPerStep;
        Smooth(ref flopsPerSecond, report.Flops / report.Seconds, first);
        string projection = report.ProjectionLoss is null ? "" : string.Create(CultureInfo.InvariantCulture, $"  projection {projectionLoss:F4}");
        string figures = string.Create(
            CultureInfo.InvariantCulture, $"loss {loss:F4}{projection}  {imagesPerSecond:F0} images/s  {flopsPerSecond / 1e9:F0} GFLOP/s");
        if (task is not null)
        {
            task.Value = report.StageStep;
            task.Description = Markup.Escape($"{stageName}  {figures}");
        }
        else if (DateTime.UtcNow - lastLine > LineInterval || report.StageStep == configuration.Stages[report.Stage].Steps)
        {
            lastLine = DateTime.UtcNow;
            long steps = configuration.Stages[report.Stage].Steps;
            string left = TimeLeft((steps - report.StageStep) * secondsPerStep);
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{stageName} {report.StageStep}/{steps}  {figures}  {left} left"));
        }
    }

    public void Written(string what, string path)
    {
        if (!interactive)
        {
            Console.WriteLine($"{what}: {path}");
        }
    }

    public void Busy(string what) => WriteLine(what + " ...");

    public void Noticed(string sentence) => WriteLine(sentence);

    public void Dispose() => task?.StopTask();

    /// <summary>Runs the training inside the progress bar, where there is a terminal.</summary>
    internal bool Run(Func<bool> train)
    {
        if (!interactive)
        {
            return train();
        }

        return AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                progress = context;
                return train();
            });
    }

    /// <summary>Hours, minutes and seconds; days are hours too.</summary>
    internal static string TimeLeft(double seconds)
    {
        long whole = (long)seconds;
        return string.Create(CultureInfo.InvariantCulture, $"{whole / 3600:00}:{whole / 60 % 60:00}:{whole % 60:00}");
    }

    private static void Smooth(ref double smoothed, double value, bool first) =>
        smoothed = first ? value : smoothed + (Smoothing * (value - smoothed));

    private void WriteLine(string line)
    {
        if (progress is null)
        {
            AnsiConsole.WriteLine(line);
        }
        else
        {
            AnsiConsole.MarkupLineInterpolated($"[grey]{line}[/]");
        }
    }
}
