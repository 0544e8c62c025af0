using System.Globalization;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;

namespace Sprint.Model.Training;

/// <summary>
/// The folder of a run: <c>config.yaml</c>, <c>metrics.jsonl</c>, <c>loss.png</c>, <c>projection-loss.png</c>, <c>samples/</c>, <c>checkpoints/</c>. One
/// process at a time works in it.
/// </summary>
public sealed class RunFolder
{
    private readonly string samples;

    private RunFolder(string path)
    {
        Path = path;
        samples = System.IO.Path.Combine(path, "samples");
        Checkpoints = new CheckpointStore(System.IO.Path.Combine(path, "checkpoints"));
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The run's checkpoints.</summary>
    public CheckpointStore Checkpoints { get; }

    /// <summary>The metrics file.</summary>
    public string Metrics => System.IO.Path.Combine(Path, "metrics.jsonl");

    /// <summary>The chart of the loss.</summary>
    public string LossChart => System.IO.Path.Combine(Path, "loss.png");

    /// <summary>The chart of the projection loss, where hidden states are aligned.</summary>
    public string ProjectionChart => System.IO.Path.Combine(Path, "projection-loss.png");

    /// <summary>The resolved configuration.</summary>
    public string Configuration => System.IO.Path.Combine(Path, CheckpointStore.ConfigurationFile);

    private string LockFile => System.IO.Path.Combine(Path, ".lock");

    /// <summary>The picture of the samples after a step.</summary>
    /// <param name="step">Steps of the run done.</param>
    public string Samples(long step) =>
        System.IO.Path.Combine(samples, string.Create(CultureInfo.InvariantCulture, $"step-{step:D8}.png"));

    /// <summary>Begins a new run, also where one ended before its first step, for lack of memory or by wrong data: nothing was done there.</summary>
    /// <param name="path">The folder; it must not hold a run of which a step was done.</param>
    /// <param name="configuration">Written as <c>config.yaml</c>.</param>
    /// <exception cref="SprintException">There is a run already, or the folder cannot be written.</exception>
    public static RunFolder Create(string path, TrainingConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var folder = new RunFolder(path);
        folder.CheckFree();
        bool begunBefore = File.Exists(folder.Configuration);
        folder.CreateFolders();

        // Of two processes that begin in one folder at once the second finds the first one's run.
        using IDisposable hold = folder.Hold();
        folder.CheckFree();
        if (begunBefore)
        {
            folder.RemovePictures();
        }

        folder.Write(configuration);
        return folder;
    }

    /// <summary>Opens a run to continue it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="overrides">Changes to its configuration, as for <see cref="ConfigurationReader"/>.</param>
    /// <param name="configuration">The configuration of the run, with the changes.</param>
    /// <exception cref="SprintException">The folder holds no run, or steps of it were done and the changes are of what they rest on.</exception>
    public static RunFolder Open(string path, IEnumerable<string> overrides, out TrainingConfiguration configuration)
    {
        var folder = new RunFolder(path);
        if (!File.Exists(folder.Configuration))
        {
            throw new SprintException($"'{path}' holds no run to resume: there is no {CheckpointStore.ConfigurationFile}");
        }

        configuration = ConfigurationReader.Read<TrainingConfiguration>(folder.Configuration, overrides);
        if (folder.Checkpoints.Newest is not null)
        {
            ResumeRules.CheckLearned(ConfigurationReader.Read<TrainingConfiguration>(folder.Configuration), configuration);
        }

        folder.CreateFolders();
        using IDisposable hold = folder.Hold();
        folder.Checkpoints.CleanUp();
        AtomicDirectory.CleanUp(path);
        AtomicDirectory.CleanUp(folder.samples);
        return folder;
    }

    /// <summary>Writes <c>config.yaml</c>, so that a later resume goes on with what this one was given.</summary>
    /// <param name="configuration">The configuration of the run.</param>
    /// <exception cref="SprintException">It cannot be written.</exception>
    public void Write(TrainingConfiguration configuration) => AtomicFile.WriteText(Configuration, ConfigurationWriter.Write(configuration));

    /// <summary>
    /// Keeps other processes out of the folder until disposed; falls with the process. The file stays: two could hold it if one removed
    /// it while the other opens it.
    /// </summary>
    /// <exception cref="SprintException">Another process is at work in the folder.</exception>
    internal IDisposable Hold()
    {
        try
        {
            return new FileStream(
                LockFile, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1);
        }
        catch (IOException exception) when (FileFault.IsHeld(exception))
        {
            throw new SprintException($"another process is at work in '{Path}': wait for it to end, or give another folder with --out", exception);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("write in the folder", Path, exception);
        }
    }

    private void CheckFree()
    {
        // A configuration without the lock beside it is a file of the user's.
        bool foreign = File.Exists(Configuration) && !File.Exists(LockFile);
        bool stepped = Checkpoints.Newest is not null || (File.Exists(Metrics) && new FileInfo(Metrics).Length > 0);
        if (foreign || stepped)
        {
            throw new SprintException($"'{Path}' holds a run already: continue it with --resume, or give another folder with --out");
        }
    }

    /// <summary>What a model drew before its first step is not another model's.</summary>
    private void RemovePictures()
    {
        foreach (string picture in Directory.GetFiles(samples, "step-*.png"))
        {
            try
            {
                File.Delete(picture);
            }
            catch (Exception exception) when (FileFault.IsFileFault(exception))
            {
                throw FileFault.Describe("remove", picture, exception);
            }
        }
    }

    private void CreateFolders()
    {
        try
        {
            Directory.CreateDirectory(samples);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("create the folder", samples, exception);
        }
    }
}
