using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;
using Sprint.Model.Network;

namespace Sprint.Model.Training;

/// <summary>A checkpoint whose files are not as they were saved.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Reason">What is wrong, as the end of a sentence.</param>
public sealed record DamagedCheckpoint(string Path, string Reason);

/// <summary>
/// The checkpoints of a run, one folder each: <c>model.safetensors</c> and <c>ema.safetensors</c> with the reference's tensor
/// names, <c>optimizer.safetensors</c> with the moments, <c>config.yaml</c>, <c>state.json</c>, and <c>SHA256SUMS</c> of all of
/// them. A folder appears whole or not at all; the newest few are kept.
/// </summary>
public sealed class CheckpointStore
{
    private const string Prefix = "step-";
    private const string DamagedPrefix = "damaged-";
    private const string ModelFile = "model.safetensors";
    private const string OptimizerFile = "optimizer.safetensors";
    private const string StateFile = "state.json";

    /// <summary>The file with the configuration of the run, in every checkpoint.</summary>
    public const string ConfigurationFile = "config.yaml";

    /// <summary>The file with the moving average of the parameters, from which samples are drawn.</summary>
    public const string AverageFile = "ema.safetensors";

    private static readonly string[] Files = [ModelFile, AverageFile, OptimizerFile, ConfigurationFile, StateFile];
    private readonly string folder;

    /// <summary>Opens the store.</summary>
    /// <param name="folder">The folder that holds, or will hold, the checkpoints.</param>
    public CheckpointStore(string folder) => this.folder = folder;

    /// <summary>The newest checkpoint, damaged or not, or null.</summary>
    public string? Newest => List().LastOrDefault();

    /// <summary>Finds the newest checkpoint whose files are all as they were saved.</summary>
    /// <param name="damaged">Newer ones that are not.</param>
    /// <returns>Its folder, or null where there is no checkpoint at all.</returns>
    /// <exception cref="SprintException">There are checkpoints, and every one is damaged; or one may not be read.</exception>
    public string? FindWhole(out IReadOnlyList<DamagedCheckpoint> damaged)
    {
        var found = new List<DamagedCheckpoint>();
        damaged = found;
        foreach (string path in List().Reverse())
        {
            if (ChecksumFile.Fault(path, Files) is not { } fault)
            {
                return path;
            }

            found.Add(new DamagedCheckpoint(path, fault));
        }

        return found.Count == 0
            ? null
            : throw new SprintException($"every checkpoint in '{folder}' is damaged; of the newest, {Path.GetFileName(found[0].Path)}, {found[0].Reason}: begin a new run");
    }

    /// <summary>Renames a damaged checkpoint, so that it takes the place of no good one.</summary>
    /// <param name="damaged">One that <see cref="FindWhole"/> found.</param>
    /// <returns>Its new folder.</returns>
    /// <exception cref="SprintException">It cannot be renamed.</exception>
    public string SetAside(DamagedCheckpoint damaged)
    {
        ArgumentNullException.ThrowIfNull(damaged);
        string aside = Path.Combine(folder, DamagedPrefix + Path.GetFileName(damaged.Path));
        try
        {
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true);
            }

            Directory.Move(damaged.Path, aside);
            return aside;
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("rename the damaged checkpoint", damaged.Path, exception);
        }
    }

    /// <summary>Checks a file against the <c>SHA256SUMS</c> beside it; without one, or a line for it there, it is taken as it is.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SprintException">The file is damaged.</exception>
    public static void CheckFile(string path)
    {
        if (ChecksumFile.Differs(path))
        {
            throw new SprintException($"'{path}' is damaged: it is not what was saved, by the hash in the {ChecksumFile.Name} beside it");
        }
    }

    /// <summary>Removes what a killed process left half-written.</summary>
    public void CleanUp()
    {
        if (Directory.Exists(folder))
        {
            AtomicDirectory.CleanUp(folder);
        }
    }

    /// <summary>Saves a checkpoint and then removes those beyond the limit.</summary>
    /// <param name="model">The parameters.</param>
    /// <param name="optimizer">Moments and averages.</param>
    /// <param name="state">Where the run is.</param>
    /// <param name="configuration">The configuration of the run.</param>
    /// <returns>The checkpoint's folder.</returns>
    /// <exception cref="SprintException">It could not be written; older checkpoints are as they were.</exception>
    public string Save(SprintTransformer model, AdamW optimizer, RunState state, TrainingConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(configuration);
        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{state.Step:D8}"));
        Dictionary<string, Tensor> averages = optimizer.States.ToDictionary(entry => entry.Parameter.Name, entry => entry.Average);
        AtomicDirectory.Write(path, part =>
        {
            var weights = new SafetensorsWriter();
            var average = new SafetensorsWriter();
            foreach (Parameter parameter in model.Parameters.All)
            {
                ModelWeights.Add(weights, parameter.Name, parameter.Value);
                ModelWeights.Add(average, parameter.Name, averages.GetValueOrDefault(parameter.Name, parameter.Value));
            }

            var moments = new SafetensorsWriter();
            foreach (AdamWState entry in optimizer.States)
            {
                ModelWeights.Add(moments, $"exp_avg.{entry.Parameter.Name}", entry.FirstMoment);
                ModelWeights.Add(moments, $"exp_avg_sq.{entry.Parameter.Name}", entry.SecondMoment);
            }

            weights.Save(Path.Combine(part, ModelFile));
            average.Save(Path.Combine(part, AverageFile));
            moments.Save(Path.Combine(part, OptimizerFile));
            AtomicFile.WriteText(Path.Combine(part, ConfigurationFile), ConfigurationWriter.Write(configuration));
            state.Save(Path.Combine(part, StateFile));
            ChecksumFile.Write(part);
        });
        RemoveOld(configuration.Checkpoints.Keep);
        return path;
    }

    /// <summary>Restores parameters, averages and moments.</summary>
    /// <param name="path">A checkpoint's folder.</param>
    /// <param name="model">Receives the parameters.</param>
    /// <param name="optimizer">Receives moments and averages.</param>
    /// <exception cref="SprintException">A file is missing, damaged, or of another model.</exception>
    public static void Load(string path, SprintTransformer model, AdamW optimizer)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(path, ModelFile));
        using SafetensorsFile average = SafetensorsFile.Open(Path.Combine(path, AverageFile));
        using SafetensorsFile moments = SafetensorsFile.Open(Path.Combine(path, OptimizerFile));
        ModelWeights.Load(weights, model.Parameters);
        foreach (AdamWState entry in optimizer.States)
        {
            ModelWeights.Read(average, entry.Parameter.Name, entry.Average);
            ModelWeights.Read(moments, $"exp_avg.{entry.Parameter.Name}", entry.FirstMoment);
            ModelWeights.Read(moments, $"exp_avg_sq.{entry.Parameter.Name}", entry.SecondMoment);
        }
    }

    /// <summary>Where the run was at a checkpoint.</summary>
    /// <param name="path">A checkpoint's folder.</param>
    /// <exception cref="SprintException">Its state cannot be read.</exception>
    internal static RunState LoadState(string path) => RunState.Load(Path.Combine(path, StateFile));

    /// <summary>The configuration that the run had at a checkpoint.</summary>
    /// <param name="path">A checkpoint's folder.</param>
    /// <exception cref="SprintException">It cannot be read.</exception>
    internal static TrainingConfiguration LoadConfiguration(string path) =>
        ConfigurationReader.Read<TrainingConfiguration>(Path.Combine(path, ConfigurationFile));

    /// <summary>All checkpoints, the oldest first. Steps of more than eight digits sort by their length.</summary>
    private string[] List() => Directory.Exists(folder)
        ? [.. Directory.GetDirectories(folder, Prefix + "*")
            .Where(path => Path.GetFileName(path)[Prefix.Length..] is { Length: >= 8 } step && step.All(char.IsAsciiDigit))
            .OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal)]
        : [];

    private void RemoveOld(int limit)
    {
        string[] all = List();
        foreach (string old in all.Take(Math.Max(0, all.Length - limit)))
        {
            try
            {
                // Renamed first: a process killed while it deletes leaves no half checkpoint, and CleanUp finds the rest.
                string doomed = AtomicFile.PartPath(old);
                Directory.Move(old, doomed);
                Directory.Delete(doomed, recursive: true);
            }
            catch (Exception exception) when (FileFault.IsFileFault(exception))
            {
                throw FileFault.Describe("remove the old checkpoint (the new one is saved)", old, exception);
            }
        }
    }
}
