using System.Globalization;
using Sprint.Tests.Model.Data;

namespace Sprint.Tests.Train;

/// <summary>A configuration file for runs of the command on the project's own images.</summary>
internal static class SmallConfiguration
{
    /// <summary>Writes the file.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="sparseSteps">Steps of the first stage; the second has four.</param>
    /// <param name="every">Steps between checkpoints.</param>
    public static string Write(string path, int sparseSteps = 4, int every = 2)
    {
        File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture, $$"""
            seed: 3
            model: {context_size: 16, patch_size: 4, hidden_size: 32, num_heads: 2, middle_depth: 1}
            data: {path: '{{RepositoryFolder.Find("data/fashion-mnist-16").Replace("'", "''", StringComparison.Ordinal)}}'}
            stages:
              - {name: sparse, steps: {{sparseSteps}}, batch_size: 4, drop_ratio: 0.75, learning_rate: 1e-3, warmup_steps: 2, ema_decay: 0.9}
              - {name: dense, steps: 4, batch_size: 4, gradient_accumulation_steps: 2, ema_decay: 0.9}
            samples: {per_class: 1, classes: 2, steps: 2}
            checkpoints: {every: {{every}}, keep: 2}
            """));
        return path;
    }
}
