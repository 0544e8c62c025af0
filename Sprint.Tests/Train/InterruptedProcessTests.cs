using NUnit.Framework;
using Sprint.Model.Training;
using Sprint.Tests.Model;
using Sprint.Tests.Model.Training;

namespace Sprint.Tests.Train;

/// <summary>Real processes that are killed, interrupted or run out of disk: nothing is lost, and resumed they end with the same bits.</summary>
[TestFixture]
public sealed class InterruptedProcessTests
{
    private const int SparseSteps = 14;
    private TemporaryFolder folder = null!;
    private string configuration = null!;
    private Dictionary<string, string> expected = null!;

    [OneTimeSetUp]
    public void TrainWithoutInterruption()
    {
        folder = new TemporaryFolder();
        configuration = SmallConfiguration.Write(folder["small.yaml"], SparseSteps, every: 1);
        SprintCommand.Succeed("train", configuration, "--out", folder["whole"], "--threads", "1");
        expected = TinyRun.Checkpoint(folder["whole"]);
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void A_run_killed_again_and_again_ends_with_the_same_bits()
    {
        string run = folder["killed"];
        var random = new Random(1);
        int kills = 0;
        int checkpoints = 0;
        while (kills < 5)
        {
            using SprintProcess process = Train(run);

            // A checkpoint is written after every step: a moment later the next is being written, or the oldest removed.
            bool alive = true;
            for (int line = 0; line < 1 + (kills % 3) && alive; line++)
            {
                alive = process.WaitFor(kills == 0 ? "run " : "checkpoint: ");
            }

            Thread.Sleep(random.Next(30));
            process.Kill();
            kills++;
            checkpoints += process.Output.Count(line => line.Contains("checkpoint: ", StringComparison.Ordinal));
        }

        Assert.That(checkpoints, Is.GreaterThan(0));
        using SprintProcess last = Train(run);
        (int exitCode, string error) = last.Finish();
        Assert.That(error, Is.Empty);
        Assert.That(exitCode, Is.Zero);
        Assert.That(TinyRun.Checkpoint(run), Is.EqualTo(expected));
        Assert.That(TinyRun.Metrics(run), Is.EqualTo(TinyRun.Metrics(folder["whole"])));
        Assert.That(Names(run), Is.EqualTo(Names(folder["whole"])));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Windows has no SIGINT to send to another process")]
    public void Ctrl_C_finishes_the_step_saves_and_says_how_to_go_on()
    {
        string run = folder["interrupted by the user"];
        using SprintProcess process = SprintProcess.Start(
            "train", configuration, "--out", run, "--threads", "1", "--set", "stage1.steps=1000000", "--set", "checkpoints.every=1000000");
        string metrics = Path.Combine(run, "metrics.jsonl");
        Assert.That(process.WaitFor("sparse: 1000000 steps"));
        Assert.That(() => File.ReadLines(metrics).Count(), Is.GreaterThan(2).After(60_000, 20));
        process.Interrupt();
        (int exitCode, string error) = process.Finish();
        Assert.That(error, Is.Empty);
        Assert.That(exitCode, Is.EqualTo(130));
        RunState state = RunState.Load(Path.Combine(new CheckpointStore(Path.Combine(run, "checkpoints")).Newest!, "state.json"));
        Assert.That(state.Step, Is.GreaterThan(2));
        Assert.That(process.Output, Has.One.EqualTo($"stopped after step {state.Step}; continue with: sprint train --resume --out \"{run}\""));
        Assert.That(TinyRun.Metrics(run), Has.Length.EqualTo(state.Step));
        Assert.That(Path.Combine(run, "loss.png"), Does.Exist);

        string output = SprintCommand.Succeed("train", "--resume", "--out", run, "--set", $"stage1.steps={state.Step + 1}");
        Assert.That(output, Does.Contain($"resuming after step {state.Step} from "));
        Assert.That(TinyRun.Metrics(run), Has.Length.EqualTo(state.Step + 5));
        Assert.That(
            SprintCommand.Succeed("train", "--resume", "--out", run), Does.Contain($"resuming after step {state.Step + 5} from "),
            "the change given on resuming is part of the run");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Windows has no limit on the size of files")]
    public void A_save_without_room_on_the_disk_is_one_sentence_and_costs_no_checkpoint()
    {
        string run = folder["full"];
        using (SprintProcess process = Train(run))
        {
            process.WaitFor("step-00000003");
            process.Kill();
        }

        TinyRunCleanUp(run);
        Dictionary<string, string> before = TinyRun.Checkpoint(run);
        long room = new FileInfo(Path.Combine(new CheckpointStore(Path.Combine(run, "checkpoints")).Newest!, "model.safetensors")).Length;
        using (SprintProcess process = SprintProcess.StartLimited((int)(room / 1024) + 8, "train", "--resume", "--out", run, "--threads", "1"))
        {
            (int exitCode, string error) = process.Finish();
            SprintCommand.CheckRefusal(exitCode, error, "cannot write '", "optimizer.safetensors");
        }

        Assert.That(TinyRun.Checkpoint(run), Is.EqualTo(before));
        Assert.That(Names(run).Where(name => name.Contains("sprint-part", StringComparison.Ordinal)), Is.Empty);
        using SprintProcess last = Train(run);
        Assert.That(last.Finish().ExitCode, Is.Zero);
        Assert.That(TinyRun.Checkpoint(run), Is.EqualTo(expected));
    }

    private static void TinyRunCleanUp(string run) => RunFolder.Open(run, [], out _);

    /// <summary>Resumes the run where there is one to resume, as a user would.</summary>
    private SprintProcess Train(string run) => File.Exists(Path.Combine(run, "config.yaml"))
        ? SprintProcess.Start("train", "--resume", "--out", run, "--threads", "1")
        : SprintProcess.Start("train", configuration, "--out", run, "--threads", "1");

    private static string[] Names(string run) =>
        [.. Directory.GetFileSystemEntries(run, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(path => Path.GetRelativePath(run, path)).Order(StringComparer.Ordinal)];
}
