using Sprint.Model.Configuration;
using Sprint.Model.Pictures;

namespace Sprint.Model.Training;

/// <content>What a run writes: checkpoints and pictures.</content>
public sealed partial class Trainer
{
    private void SaveCheckpoint(MetricsLog metrics)
    {
        metrics.Flush();
        observer.Written("checkpoint", folder.Checkpoints.Save(model, optimizer, state, configuration));
    }

    private void DrawSamples(MetricsLog metrics, CancellationToken cancellation)
    {
        int every = configuration.Samples.Every;
        if (every > 0 && state.Step > 0 && state.Step % every == 0 && state.Step < configuration.TotalSteps)
        {
            DrawLoss(metrics);
            DrawGrid(cancellation);
        }
    }

    private void DrawLoss(MetricsLog metrics)
    {
        if (metrics.Losses.Count == 0)
        {
            return;
        }

        double[] steps = [.. metrics.Losses.Select(entry => (double)entry.Step)];
        double[] values = [.. metrics.Losses.Select(entry => entry.Loss.Denoising)];
        var stages = new List<LossStage>();
        long first = 1;
        foreach (StageConfiguration stage in configuration.Stages)
        {
            stages.Add(new LossStage(stage.Name.Length > 0 ? stage.Name : $"stage {stages.Count + 1}", first));
            first += stage.Steps;
        }

        LossChart.SavePng(folder.LossChart, [new LossSeries("training loss", steps, values)], stages);
        observer.Written("loss chart", folder.LossChart);
        if (metrics.Losses[^1].Loss.Projection is not null)
        {
            double[] projections = [.. metrics.Losses.Select(entry => entry.Loss.Projection ?? double.NaN)];
            var options = new LossChartOptions { Title = "Projection loss", ValueName = "minus mean cosine", Logarithmic = false };
            LossChart.SavePng(folder.ProjectionChart, [new LossSeries("projection loss", steps, projections)], stages, options);
            observer.Written("projection loss chart", folder.ProjectionChart);
        }
    }

    private string Title()
    {
        SamplesConfiguration samples = configuration.Samples;
        return $"step {state.Step}, {samples.Steps} {samples.Sampler.ToString().ToUpperInvariant()} steps, {samples.GuidanceText}";
    }

    /// <summary>Draws from the moving average; it is no step, so what it computes and holds is not in the run's account.</summary>
    private void DrawGrid(CancellationToken cancellation)
    {
        string file = folder.Samples(state.Step);
        observer.Busy("drawing samples");
        optimizer.SwapAverages();
        try
        {
            SampleDrawer.SaveGrid(
                model, configuration, dataset.ClassNames, file, Title(), cancellation);
            observer.Written("samples", file);
        }
        catch (OperationCanceledException)
        {
            // The run is about to save and stop; the picture is not worth the wait.
        }
        finally
        {
            optimizer.SwapAverages();

            // A step has no use for the memory of other shapes that sampling leaves behind.
            device.Trim();
            device.Account.ResetPeaks();
        }
    }
}
