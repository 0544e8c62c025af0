using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Data;
using Sprint.Model.Training;
using Sprint.Tests.Model.Training;

namespace Sprint.Tests.Model.Data;

[TestFixture]
public sealed class EpochNoiseTests
{
    [Test]
    public void Every_image_is_read_with_the_noise_of_its_own_epoch()
    {
        using TemporaryFolder folder = new();
        TrainingConfiguration configuration = TinyRun.Configuration with
        {
            Stages = [new StageConfiguration { Steps = 3, BatchSize = 44 }],
            Samples = new SamplesConfiguration { PerClass = 1, Classes = 1, Steps = 1 },
        };
        var noise = new EpochNoise(1);
        var epochs = new List<long>();
        using var device = new CpuDevice(1);
        using var dataset = new PatternDataset
        {
            Spoils = _ =>
            {
                epochs.Add(noise.Epoch);
                return false;
            },
        };
        using var trainer = new Trainer(device, configuration, dataset, RunFolder.Create(folder["run"], configuration), new RecordingObserver(), noise);
        trainer.Run();
        Assert.That(epochs, Is.EqualTo(Enumerable.Range(0, 3 * 44).Select(image => (long)(image / dataset.Count))));
    }

    [Test]
    public void Noise_depends_on_epoch_and_sample()
    {
        float[] Draw(long epoch, int index)
        {
            var values = new float[8];
            new EpochNoise(3) { Epoch = epoch }.Fill(index, values);
            return values;
        }

        float[] first = Draw(1, 2);
        float[] again = Draw(1, 2);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(Draw(2, 2), Is.Not.EqualTo(first));
        Assert.That(Draw(1, 3), Is.Not.EqualTo(first));
    }
}
