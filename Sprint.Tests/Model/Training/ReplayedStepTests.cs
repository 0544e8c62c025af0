using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Training;
using Sprint.Tests.Engine;

namespace Sprint.Tests.Model.Training;

/// <summary>A training step as a CUDA graph, against the same step launched piece by piece.</summary>
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class ReplayedStepTests(string deviceName)
{
    private const int Batch = 4;

    private static readonly ModelConfiguration Model = TinyRun.Configuration.Model with { CfgMaskProb = 0.4 };
    private static readonly ModelConfiguration Aligned = Model with { RepresentationAlign = true, RepresentationDepth = 3, DimProjection = 12, ProjectorHiddenDim = 20 };

    [TestCase(DropKind.Structured, 1, false, false)]
    [TestCase(DropKind.Structured, 2, true, false)]
    [TestCase(DropKind.None, 1, false, false)]
    [TestCase(DropKind.Structured, 2, false, true)]
    public void Ten_steps_have_the_same_bits_with_and_without_a_graph(DropKind kind, int microBatches, bool checkpoints, bool aligns)
    {
        ModelConfiguration configuration = (aligns ? Aligned : Model) with { UseCheckpoint = checkpoints };
        using Run replayed = new(deviceName, configuration, captures: true), launched = new(deviceName, configuration, captures: false), synchronous = new(deviceName, configuration, captures: false);
        for (int i = 0; i < 10; i++)
        {
            StepOutcome expected = launched.Take(kind, microBatches);
            Assert.That(replayed.Take(kind, microBatches), Is.EqualTo(expected), $"step {i + 1}");
            Assert.That(synchronous.TakeApart(kind, microBatches), Is.EqualTo(expected), $"step {i + 1} in parts");
        }

        Assert.That((replayed.Step.CaptureCount, launched.Step.CaptureCount, replayed.Step.CaptureProblem), Is.EqualTo((1, 0, (string?)null)));
        Comparer.AssertSameBits("parameters, moments and averages, replayed", replayed.State(), launched.State());
        Comparer.AssertSameBits("parameters, moments and averages, in parts", synchronous.State(), launched.State());
        Assert.That(replayed.Device.Account.Total().Flops, Is.EqualTo(launched.Device.Account.Total().Flops));
        Assert.That(replayed.Device.Account.Entries.Keys, Is.EquivalentTo(launched.Device.Account.Entries.Keys));
        Assert.That(replayed.Step.PassShare, Is.GreaterThan(0).And.LessThan(1));
    }

    /// <summary>The host draws what the next step reads before it has looked at the step under way, in whatever order the device's streams advance.</summary>
    [Test]
    public void Inputs_that_are_drawn_ahead_give_the_same_bits([Values(1, 2, 3)] int variant, [Values(DropKind.Structured, DropKind.None)] DropKind kind)
    {
        using CudaDevice device = (CudaDevice)TestDevice.Open(deviceName, variant);
        using Run launched = new(deviceName, Model, captures: false), ahead = new(device, Model, captures: true);
        for (int i = 0; i < 6; i++)
        {
            StepOutcome expected = launched.Take(kind, 2);
            bool wasIdle = true;
            StepOutcome actual = ahead.Take(kind, 2, meanwhile: () =>
            {
                ahead.PrepareNext();
                wasIdle = device.Stream.IsIdle;
            });
            Assert.That(actual, Is.EqualTo(expected), $"step {i + 1}");

            // A GPU may have been quicker than the host.
            if (device.Context.Device.IsEmulated)
                Assert.That(wasIdle, Is.False, "the step was under way while the next one's inputs were put behind it");
        }

        Assert.That(ahead.Step.CaptureCount, Is.EqualTo(1));
        Comparer.AssertSameBits("parameters, moments and averages", ahead.State(), launched.State());
    }

    [Test]
    public void Inputs_drawn_ahead_of_a_step_that_fails_or_of_another_step_are_not_used()
    {
        using Run launched = new(deviceName, Model, captures: false), ahead = new(deviceName, Model, captures: true);
        Assert.That(ahead.PrepareNext, Throws.InvalidOperationException);
        for (int i = 0; i < 4; i++)
            Assert.That(ahead.Take(DropKind.Structured, 1, meanwhile: ahead.PrepareNext), Is.EqualTo(launched.Take(DropKind.Structured, 1)));
        float[] before = ahead.State();
        ahead.Step.Release();
        foreach (Run run in new[] { ahead, launched })
            Assert.That(() => run.Take(DropKind.Structured, 1, float.NaN, run == ahead ? run.PrepareNext : null), Throws.TypeOf<NotFiniteLossException>().With.Message.Contains("at step 5"));
        Comparer.AssertSameBits("parameters, moments and averages", ahead.State(), before);
        Assert.That(ahead.Take(DropKind.Structured, 1, meanwhile: ahead.PrepareNext), Is.EqualTo(launched.Take(DropKind.Structured, 1)));
        ahead.Skip();
        launched.Skip();
        Assert.That(ahead.Take(DropKind.Structured, 1), Is.EqualTo(launched.Take(DropKind.Structured, 1)), "the step behind one that was left out");
    }

    /// <summary>Passes that are timed are those that training runs: launched twice, captured once and replayed from then on.</summary>
    [Test]
    public void Timed_passes_are_replayed_and_leave_nothing([Values] bool captures)
    {
        using Run run = new(deviceName, Model, captures), untouched = new(deviceName, Model, captures);
        Assert.That(run.Take(DropKind.Structured, 1), Is.EqualTo(untouched.Take(DropKind.Structured, 1)));
        long held = run.Device.Account.LiveBytes;
        run.Step.Release();
        var counter = new LaunchCounter("attention_forward");
        run.Device.Context.LaunchObserver = counter;
        double sparse = run.Time(DropKind.Structured), dense = run.Time(DropKind.None);
        run.Device.Context.LaunchObserver = null;
        Assert.That((sparse, dense), Is.GreaterThan((0.0, 0.0)));
        int blocks = Model.EncoderDepth + Model.MiddleDepth + Model.DecoderDepth, passes = captures ? 3 : 6;
        Assert.That(counter.Count, Is.EqualTo(2 * passes * blocks), "launches of attention: those of two plain passes and a captured one, for each pattern");
        Assert.That(run.Device.Account.LiveBytes, Is.LessThan(held), "bytes held afterwards");
        for (int i = 0; i < 4; i++)
            Assert.That(run.Take(DropKind.Structured, 1), Is.EqualTo(untouched.Take(DropKind.Structured, 1)));
        Comparer.AssertSameBits("parameters, moments and averages", run.State(), untouched.State());
    }

    [Test]
    public void Other_shapes_are_captured_anew_and_memory_is_asked_for_only_before()
    {
        using Run replayed = new(deviceName, Model, captures: true), launched = new(deviceName, Model, captures: false);
        foreach ((DropKind kind, int microBatches) in new[] { (DropKind.Structured, 1), (DropKind.None, 1), (DropKind.Structured, 2) })
        {
            long asked = 0;
            for (int i = 0; i < 6; i++)
            {
                Assert.That(replayed.Take(kind, microBatches), Is.EqualTo(launched.Take(kind, microBatches)));
                asked = i == 2 ? replayed.Device.SystemAllocations : asked;
            }

            Assert.That(replayed.Device.SystemAllocations, Is.EqualTo(asked), "blocks of device memory");
            Assert.That(replayed.Step.CaptureCount, Is.EqualTo(1));
        }

        Comparer.AssertSameBits("parameters, moments and averages", replayed.State(), launched.State());
    }

    /// <summary>What others do between steps must not reach the graph's memory, nor the graph theirs.</summary>
    [Test]
    public void Tensors_made_between_replays_keep_their_numbers()
    {
        using Run replayed = new(deviceName, Model, captures: true), launched = new(deviceName, Model, captures: false);
        var held = new List<(Tensor Tensor, float[] Values)>();
        for (int i = 0; i < 6; i++)
        {
            Assert.That(replayed.Take(DropKind.Structured, 1), Is.EqualTo(launched.Take(DropKind.Structured, 1)));
            replayed.Optimizer.SwapAverages();
            replayed.Optimizer.SwapAverages();
            foreach (int count in new[] { 1, Batch, Batch * 64, Batch * 16 * 32, 4096 })
            {
                float[] values = OperationTest.Randoms(new Random(count + i), new Shape(count));
                held.Add((replayed.Device.From(new Shape(count), values), values));
            }
        }

        foreach ((Tensor tensor, float[] values) in held)
        {
            Assert.That(tensor.ToArray(), Is.EqualTo(values));
            tensor.Dispose();
        }
    }

    /// <summary>What a driver or a library refuses to capture costs time and no step, and whoever runs the training hears of it once.</summary>
    [Test]
    public void A_run_whose_steps_cannot_be_captured_says_so_once_and_goes_on()
    {
        using TemporaryFolder folder = new();
        using CudaDevice device = (CudaDevice)TestDevice.Open(deviceName);
        device.Register<ISiluKernels>(new WaitingSilu(device, device.Kernels<ISiluKernels>()));
        using PatternDataset dataset = new();
        RecordingObserver observer = new();
        TrainingConfiguration configuration = TinyRun.Configuration with { Stages = [TinyRun.Configuration.Stages[1] with { Steps = 5 }], Samples = new SamplesConfiguration { PerClass = 1, Classes = 1, Steps = 1 } };
        using (Trainer trainer = TinyRun.Open(folder["run"], device, dataset, observer, configuration))
            Assert.That(trainer.Run());
        Assert.That(observer.Steps, Has.Count.EqualTo(5));
        Assert.That(observer.Notices, Has.Count.EqualTo(1));
        Assert.That(observer.Notices[0], Does.StartWith("steps are launched piece by piece, as they cannot be captured as a CUDA graph: "));
    }

    [Test]
    public void A_loss_that_is_no_number_stops_the_step_and_leaves_the_parameters()
    {
        using Run run = new(deviceName, Model, captures: true);
        for (int i = 0; i < 4; i++)
            run.Take(DropKind.Structured, 1);
        float[] before = run.State();
        Assert.That(
            () => run.Take(DropKind.Structured, 1, float.PositiveInfinity),
            Throws.TypeOf<NotFiniteLossException>().With.Message.Contains("the loss became").And.Message.Contains("at step 5"));
        Comparer.AssertSameBits("parameters, moments and averages", run.State(), before);
        run.Take(DropKind.Structured, 1);
    }

    /// <summary>A graph has the addresses built in of what the optimizer's kernels keep on the device: work for another model must not move it.</summary>
    [Test]
    public void Two_models_on_one_device_replay_their_own_graphs()
    {
        using CudaDevice shared = (CudaDevice)TestDevice.Open(deviceName);
        using Run launched = new(deviceName, Model, captures: false);
        StepOutcome[] expected = [.. Enumerable.Range(0, 8).Select(_ => launched.Take(DropKind.Structured, 1))];
        using (Run first = new(shared, Model, captures: true))
        {
            // The second begins when the first has been captured, and ends before it.
            using (Run second = new(shared, Model, captures: true))
            {
                for (int i = 0; i < 7; i++)
                {
                    Assert.That(first.Take(DropKind.Structured, 1), Is.EqualTo(expected[i]), $"step {i + 1} of the first");
                    if (i >= 3)
                        Assert.That(second.Take(DropKind.Structured, 1), Is.EqualTo(expected[i - 3]), $"step {i - 2} of the second");
                }

                Assert.That((first.Step.CaptureCount, second.Step.CaptureCount), Is.EqualTo((1, 1)));
            }

            Assert.That(first.Take(DropKind.Structured, 1), Is.EqualTo(expected[7]), "the last step of the first");
            Comparer.AssertSameBits("parameters, moments and averages", first.State(), launched.State());
        }

        Assert.That(shared.Account.LiveBytes, Is.Zero, "memory held after everything was disposed");
    }

    /// <summary>Waits for the device, which no capture allows.</summary>
    private sealed class WaitingSilu(Device device, ISiluKernels inner) : ISiluKernels
    {
        public void Forward(Tensor input, Tensor output)
        {
            inner.Forward(input, output);
            device.Synchronize();
        }

        public void Backward(Tensor gradient, Tensor input, Tensor inputGradient, bool accumulate) => inner.Backward(gradient, input, inputGradient, accumulate);
    }

    private sealed class LaunchCounter(string kernelName) : ILaunchObserver
    {
        internal int Count { get; private set; }

        public void Launching(CudaStream stream)
        {
        }

        public void Launched(CudaKernel kernel, CudaStream stream, Dim3 grid, Dim3 block, int dynamicSharedBytes) => Count += kernel.Name == kernelName ? 1 : 0;
    }

    private sealed class Run : IDisposable
    {
        private readonly SprintTransformer model;
        private readonly bool ownsDevice;
        private readonly float[] images = TinyModel.Images(Model, Batch);
        private readonly int[] labels = [0, 1, 2, 1];
        private readonly float[] features;
        private int steps;

        internal Run(string deviceName, ModelConfiguration configuration, bool captures)
            : this((CudaDevice)TestDevice.Open(deviceName), configuration, captures) => ownsDevice = true;

        internal Run(CudaDevice device, ModelConfiguration configuration, bool captures)
        {
            Device = device;
            features = TinyModel.Features(configuration, Batch);
            model = TinyModel.Build(Device, configuration);
            Optimizer = new AdamW(Device, model.Parameters.All);
            Step = new TrainingStep(model, Optimizer, new LossConfiguration(), 5) { Captures = captures };
        }

        internal CudaDevice Device { get; }

        internal AdamW Optimizer { get; }

        internal TrainingStep Step { get; }

        internal StepOutcome Take(DropKind kind, int microBatches, float? everywhere = null, Action? meanwhile = null)
        {
            float[] given = everywhere is { } value ? [.. Enumerable.Repeat(value, images.Length)] : images;
            StepOutcome outcome = Step.Take(given, labels, TinyModel.Pattern(model.Configuration, kind), steps, microBatches, Update(), features, meanwhile);
            steps++;
            return outcome;
        }

        internal void PrepareNext() => Step.Prepare(images, labels, features, steps + 1);

        internal void Skip() => steps++;

        internal double Time(DropKind kind) => Step.TimePasses(images, labels, TinyModel.Pattern(model.Configuration, kind), steps, 1, TimeSpan.Zero, features);

        internal StepOutcome TakeApart(DropKind kind, int microBatches)
        {
            (double loss, double? projection) = (0, features.Length > 0 ? 0 : null);
            int size = Batch / microBatches, image = images.Length / microBatches, feature = features.Length / microBatches;
            for (int micro = 0; micro < microBatches; micro++)
            {
                LossValues values = Step.Accumulate(
                    images.AsSpan(micro * image, image),
                    labels.AsSpan(micro * size, size),
                    TinyModel.Pattern(model.Configuration, kind),
                    steps,
                    micro,
                    microBatches,
                    features.AsSpan(micro * feature, feature));
                (loss, projection) = (loss + values.Denoising, projection + values.Projection);
            }

            float norm = Step.Update(Update(), steps);
            steps++;
            return new StepOutcome(new LossValues(loss / microBatches, projection / microBatches), norm);
        }

        internal float[] State() =>
            [.. Optimizer.States.SelectMany(state => new[] { state.Parameter.Value, state.FirstMoment, state.SecondMoment, state.Average }).SelectMany(tensor => tensor.ToArray())];

        public void Dispose()
        {
            Step.Dispose();
            Optimizer.Dispose();
            model.Dispose();
            if (ownsDevice)
            {
                Assert.That(Device.Account.LiveBytes, Is.Zero, "memory held after everything was disposed");
                Device.Dispose();
            }
        }

        // Every number of the update differs from step to step.
        private AdamWSettings Update() => new(1e-3 / (steps + 1), steps + 1, WeightDecay: 0.01 * steps, AverageDecay: 0.5 + (0.04 * steps));
    }
}
