using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;
using Sprint.Model.Network;

namespace Sprint.Model.Training;

/// <summary>
/// The checkpoints of a run, one folder each: <c>model.safetensors</c> and <c>ema.safetensors</c> with the reference's tensor
/// names, <c>optimizer.safetensors</c> with the moments, <c>config.yaml</c>, <c>state.json</c>. A folder appears whole or not at
/// all; the newest few are kept.
/// </summary>
public sealed class CheckpointStore
{
    private const string Prefix = "step-";
    private const string ModelFile = "model.safetensors";
    private const string AverageFile = "ema.safetensors";
    private const string OptimizerFile = "optimizer.safetensors";
    private const string StateFile = "state.json";

    /// <summary>The file with the configuration of the run, in every checkpoint.</summary>
    public const string ConfigurationFile = "config.yaml";

    private readonly string folder;

    /// <summary>Opens the store.</summary>
    /// <param name="folder">The folder that holds, or will hold, the checkpoints.</param>
    public CheckpointStore(string folder) => this.folder = folder;

    /// <summary>The newest checkpoint, or null.</summary>
    public string? Newest => List().LastOrDefault();

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
        });
        RemoveOld(configuration.Checkpoints.CheckpointsTotalLimit);
        return path;
    }

    /// <summary>Restores parameters, averages and moments.</summary>
    /// <param name="path">A checkpoint's folder.</param>
    /// <param name="model">Receives the parameters.</param>
    /// <param name="optimizer">Receives moments and averages.</param>
    /// <returns>Where the run was.</returns>
    /// <exception cref="SprintException">A file is missing, damaged, or of another model.</exception>
    public static RunState Load(string path, SprintTransformer model, AdamW optimizer)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        RunState state = RunState.Load(Path.Combine(path, StateFile));
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

        return state;
    }

    private string[] List() => Directory.Exists(folder)
        ? [.. Directory.GetDirectories(folder, Prefix + "*").Where(path => File.Exists(Path.Combine(path, StateFile))).Order(StringComparer.Ordinal)]
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
