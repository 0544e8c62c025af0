using System.Globalization;
using System.Text.Json;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Training;

/// <summary><c>metrics.jsonl</c>: one JSON object a line and step. A resumed run drops the lines after its checkpoint.</summary>
public sealed class MetricsLog : IDisposable
{
    private readonly string path;
    private readonly FileStream stream;
    private readonly StreamWriter writer;
    private readonly List<(long Step, LossValues Loss)> losses = [];

    /// <summary>Opens the log and keeps the lines of steps already done.</summary>
    /// <param name="path">The file; it need not exist.</param>
    /// <param name="step">Steps done; later lines are removed.</param>
    /// <exception cref="SprintException">The file cannot be read or written.</exception>
    public MetricsLog(string path, long step)
    {
        this.path = path;
        try
        {
            var kept = new List<string>();
            foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
            {
                if (TryRead(line, out long lineStep, out LossValues loss) && lineStep <= step)
                {
                    kept.Add(line);
                    losses.Add((lineStep, loss));
                }
            }

            AtomicFile.WriteText(path, string.Concat(kept.Select(line => line + "\n")));
            stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
            writer = new StreamWriter(stream) { AutoFlush = true };
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("write", path, exception);
        }
    }

    /// <summary>Step and losses of every line.</summary>
    public IReadOnlyList<(long Step, LossValues Loss)> Losses => losses;

    /// <summary>Appends a step.</summary>
    /// <param name="report">The step.</param>
    /// <exception cref="SprintException">The file cannot be written.</exception>
    public void Add(in StepReport report)
    {
        losses.Add((report.Step, new LossValues(report.Loss, report.ProjectionLoss)));
        string projection = report.ProjectionLoss is { } value ? string.Create(CultureInfo.InvariantCulture, $"\"projection_loss\":{value:R},") : "";
        try
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"step\":{report.Step},\"stage\":{report.Stage + 1},\"loss\":{report.Loss:R},{projection}\"grad_norm\":{report.GradientNorm:R},\"learning_rate\":{report.LearningRate:R},\"images\":{report.Images},\"seconds\":{report.Seconds:G6},\"flops\":{report.Flops:R}}}"));
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("write", path, exception);
        }
    }

    /// <summary>Waits until every line is on the disk, so that a checkpoint never outlives the lines before it.</summary>
    /// <exception cref="SprintException">The file cannot be written.</exception>
    public void Flush()
    {
        try
        {
            stream.Flush(flushToDisk: true);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("write", path, exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            writer.Dispose();
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            // Closing tries again to write a line that could not be written: that error is on its way already.
        }
    }

    /// <summary>A line cut short by a killed process is no error: its step is done again.</summary>
    private static bool TryRead(string line, out long step, out LossValues loss)
    {
        (step, loss) = (0, default);
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            loss = new LossValues(root.GetProperty("loss").GetDouble(), root.TryGetProperty("projection_loss", out JsonElement projection) ? projection.GetDouble() : null);
            return root.GetProperty("step").TryGetInt64(out step);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return false;
        }
    }
}
