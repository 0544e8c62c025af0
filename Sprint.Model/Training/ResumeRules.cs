using Sprint.Engine;
using Sprint.Model.Configuration;

namespace Sprint.Model.Training;

/// <summary>
/// What of a configuration may change when a run is resumed. What has been done stays what it was: seed, model and objective, and
/// stages that are over. Of the stage at hand batch and dropping stay, as its account is of equal steps. The rest may change: steps and
/// learning rates to come, later stages, pictures, checkpoints, activation checkpointing, precision; and where the data lie, if they are the same.
/// </summary>
internal static class ResumeRules
{
    private static readonly string[] Free = ["samples.", "checkpoints.", "data.", "model.use_checkpoint", "precision", "cuda_graphs"];
    private const string Features = "data.features";
    private const string None = "null";

    private static readonly string[] FixedInStage = ["batch_size", "drop_ratio", "mask_type", "reset_optimizer"];

    /// <summary>
    /// Checks what may change at no time once a step was done, before anything else is asked of the configuration: what would be wrong with
    /// a value that cannot be had is no help.
    /// </summary>
    /// <param name="before">The configuration that the run has.</param>
    /// <param name="now">The one to go on with.</param>
    /// <exception cref="SprintException">Something changed that may not.</exception>
    internal static void CheckLearned(TrainingConfiguration before, TrainingConfiguration now)
    {
        foreach (ConfigurationChange change in ConfigurationComparison.Compare(before, now))
        {
            Refuse(change, Learned(change));
        }
    }

    /// <summary>Compares the configuration of a checkpoint with that of the run that resumes it.</summary>
    /// <param name="before">The checkpoint's.</param>
    /// <param name="now">The run's.</param>
    /// <param name="state">Where the run is.</param>
    /// <returns>What changed and may.</returns>
    /// <exception cref="SprintException">Something changed that may not.</exception>
    internal static IReadOnlyList<ConfigurationChange> Check(TrainingConfiguration before, TrainingConfiguration now, RunState state)
    {
        var changes = new List<ConfigurationChange>();
        foreach (ConfigurationChange change in ConfigurationComparison.Compare(before, now))
        {
            Refuse(change, Learned(change) ?? Past(change.Key, state));
            changes.Add(change);
        }

        return changes;
    }

    /// <summary>
    /// A stage that is done and is given more steps before the next has begun is the stage at hand again: a run that has reached its end
    /// can be made longer.
    /// </summary>
    /// <param name="before">The configuration of the checkpoint.</param>
    /// <param name="now">The configuration of the run.</param>
    /// <param name="state">Where the run is; moved back into the stage.</param>
    internal static void Reopen(TrainingConfiguration before, TrainingConfiguration now, RunState state)
    {
        int last = state.Stage - 1;
        bool between = state.StageStep == 0 && state.Accounts.Count == state.Stage && last >= 0 && last < Math.Min(before.Stages.Count, now.Stages.Count);
        if (between && now.Stages[last].Steps > before.Stages[last].Steps)
        {
            (state.Stage, state.StageStep) = (last, before.Stages[last].Steps);
        }
    }

    private static void Refuse(ConfigurationChange change, string? reason)
    {
        if (reason is not null)
        {
            throw new SprintException(
                $"the run was begun with {change.Key} {change.Before}, not {change.Now}: {reason}; leave it as it was, or begin a new run");
        }
    }

    // Where features lie may change, but not whether there are any.
    private static string? Learned(ConfigurationChange change)
    {
        bool features = change.Key == Features && (change.Before == None || change.Now == None);
        bool free = Free.Any(prefix => change.Key.StartsWith(prefix, StringComparison.Ordinal));
        return features || !(free || IsOfStages(change.Key)) ? "what has been learned rests on it" : null;
    }

    private static bool IsOfStages(string key) => key.StartsWith("stage", StringComparison.Ordinal);

    private static string? Past(string key, RunState state)
    {
        if (!IsOfStages(key) || key == "stages")
        {
            return null;
        }

        int point = key.IndexOf('.', StringComparison.Ordinal);
        int stage = int.Parse(key["stage".Length..point]) - 1;
        string property = key[(point + 1)..];
        return property == "name" ? null
            : stage < state.Stage ? $"stage {stage + 1} is done"
            : stage < state.Accounts.Count && FixedInStage.Contains(property) ? $"stage {stage + 1} has begun"
            : null;
    }
}
