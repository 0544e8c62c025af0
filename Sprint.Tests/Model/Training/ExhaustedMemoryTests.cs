using NUnit.Framework;
using Sprint.Bench.Steps;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Training;

/// <summary>What needs more memory than the device has gives back what it had, wherever in its making the memory ended.</summary>
[TestFixture]
public sealed class ExhaustedMemoryTests
{
    [Test]
    public void A_run_that_cannot_begin_holds_nothing()
    {
        using TemporaryFolder folder = new();
        using PatternDataset dataset = new();
        int run = 0;
        Check(device => new Trainer(device, TinyRun.Configuration, dataset, RunFolder.Create(folder[$"run{run++}"], TinyRun.Configuration), new RecordingObserver()));
    }

    [Test]
    public void A_measurement_that_cannot_begin_holds_nothing() => Check(device => new StepRunner(device, TinyRun.Configuration.Model, 4, trains: true));

    private static void Check(Func<Device, IDisposable> make)
    {
        const int Parts = 12;
        long needed;
        using (CudaDevice device = CudaDevice.Emulated())
        {
            using IDisposable made = make(device);
            needed = device.Account.LiveBytes;
        }

        for (int part = 1; part < Parts; part++)
        {
            using CudaDevice device = new(CudaContext.Emulated(memoryBytes: needed * part / Parts));
            Assert.That(() => make(device), Throws.TypeOf<SprintException>().With.Message.Contains("no memory for another"), $"with {part} of {Parts} parts of the memory");
            Assert.That(device.Account.LiveBytes, Is.Zero, $"bytes held with {part} of {Parts} parts of the memory");
        }
    }
}
