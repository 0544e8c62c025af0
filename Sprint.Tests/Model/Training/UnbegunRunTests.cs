using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>Runs that end before their first step.</summary>
[TestFixture]
internal sealed class UnbegunRunTests
{
    private static readonly TrainingConfiguration Configuration = TinyRun.Configuration with { Samples = new SamplesConfiguration { Every = 0 } };

    private readonly TemporaryFolder folder = new();

    private string Run => folder["run"];

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void A_run_that_is_stopped_while_it_times_dense_steps_stops_before_the_next_pass([Values("cpu", "emulated")] string name)
    {
        using Device device = name == "cpu" ? new CpuDevice(1) : CudaDevice.Emulated();
        using var dataset = new PatternDataset();
        using var cancellation = new CancellationTokenSource();
        string path = folder[name];
        using Trainer trainer = TinyRun.Open(path, device, dataset, new CancellingObserver(cancellation), Configuration);
        Assert.That(trainer.Run(cancellation.Token), Is.False);
        Assert.That(trainer.State.Step, Is.Zero);
        Assert.That(device.Account.TotalOf(ComputePass.Backward).Flops, Is.Zero, "a pass was run");
    }

    [Test]
    public void A_folder_where_no_step_was_done_is_free_for_another_run_and_one_with_a_file_of_the_users_is_not()
    {
        RunFolder begun = RunFolder.Create(Run, Configuration);
        File.WriteAllText(begun.Metrics, "");
        File.WriteAllText(begun.Samples(0), "drawn by the model of the first configuration");
        TrainingConfiguration other = Configuration with { Seed = 8 };
        RunFolder again = RunFolder.Create(Run, other);
        Assert.That(File.ReadAllText(again.Configuration), Does.Contain("seed: 8"));
        Assert.That(File.Exists(again.Samples(0)), Is.False);

        File.WriteAllText(again.Metrics, "{}\n");
        Assert.That(() => RunFolder.Create(Run, other), new SprintFault("holds a run already", "--resume", "--out"));

        Directory.CreateDirectory(folder["own/samples"]);
        File.WriteAllText(folder["own/config.yaml"], "seed: 1");
        Assert.That(() => RunFolder.Create(folder["own"], other), new SprintFault("holds a run already"));
        Assert.That(File.ReadAllText(folder["own/config.yaml"]), Is.EqualTo("seed: 1"));
    }

    private sealed class CancellingObserver(CancellationTokenSource cancellation) : ITrainingObserver
    {
        public void StageStarted(int index, StageConfiguration stage, StageAccount account)
        {
        }

        public void StepDone(in StepReport report)
        {
        }

        public void Written(string what, string path)
        {
        }

        public void Busy(string what) => cancellation.Cancel();

        public void Noticed(string sentence)
        {
        }
    }
}
