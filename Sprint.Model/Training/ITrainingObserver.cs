using Sprint.Model.Configuration;

namespace Sprint.Model.Training;

/// <summary>One finished step, for progress displays and logs.</summary>
/// <param name="Step">Steps of the run done, from 1.</param>
/// <param name="Stage">The stage, from 0.</param>
/// <param name="StageStep">Steps of the stage done, from 1.</param>
/// <param name="Loss">Mean of the micro-batches' losses: mean squared error of the velocity.</param>
/// <param name="ProjectionLoss">Mean of their projection losses, which counts beside it by its weight; null where nothing is aligned.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="LearningRate">The learning rate of the step.</param>
/// <param name="Images">Images in the step.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Flops">Floating-point operations in it.</param>
public readonly record struct StepReport(
    long Step, int Stage, long StageStep, double Loss, double? ProjectionLoss, double GradientNorm, double LearningRate, int Images, double Seconds, double Flops);

/// <summary>Hears of a run's progress.</summary>
public interface ITrainingObserver
{
    /// <summary>A stage begins, or goes on after a resume.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="account">What it has cost so far and what dense steps would.</param>
    void StageStarted(int index, StageConfiguration stage, StageAccount account);

    /// <summary>A step is done.</summary>
    /// <param name="report">The step.</param>
    void StepDone(in StepReport report);

    /// <summary>Something worth a line was written: a checkpoint, a picture.</summary>
    /// <param name="what">What it is.</param>
    /// <param name="path">Where it is.</param>
    void Written(string what, string path);

    /// <summary>Something long begins that is no training step.</summary>
    /// <param name="what">What it is.</param>
    void Busy(string what);

    /// <summary>Something is not as it could be, and the run goes on.</summary>
    /// <param name="sentence">What, and why.</param>
    void Noticed(string sentence);
}
