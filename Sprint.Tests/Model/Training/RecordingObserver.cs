using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>Keeps the steps of a run, and acts after each.</summary>
internal sealed class RecordingObserver(Action<StepReport>? act = null) : ITrainingObserver
{
    public List<StepReport> Steps { get; } = [];

    public List<string> Notices { get; } = [];

    public void StageStarted(int index, StageConfiguration stage, StageAccount account)
    {
    }

    public void StepDone(in StepReport report)
    {
        Steps.Add(report);
        act?.Invoke(report);
    }

    public void Written(string what, string path)
    {
    }

    public void Busy(string what)
    {
    }

    public void Noticed(string sentence) => Notices.Add(sentence);
}
