using NUnit.Framework;
using Sprint.Model.Checkpoints;
using Sprint.Tests.Model;

namespace Sprint.Tests.Train;

[TestFixture]
public sealed class SampleCommandTests
{
    private const int Image = 16 * 16;
    private TemporaryFolder folder = null!;
    private string run = null!;

    [OneTimeSetUp]
    public void Train()
    {
        folder = new TemporaryFolder();
        run = folder["run"];
        string configuration = SmallConfiguration.Write(folder["small.yaml"]);
        SprintCommand.Succeed("train", configuration, "--out", run, "--threads", "1");
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [TestCase("png")]
    [TestCase("safetensors")]
    public void The_same_seed_gives_the_same_file_and_another_seed_another(string extension)
    {
        byte[] first = Draw("first." + extension, "--seed", "9007199254740993");
        Assert.That(Draw("again." + extension, "--seed", "9007199254740993"), Is.EqualTo(first));
        Assert.That(Draw("near." + extension, "--seed", "9007199254740992"), Is.Not.EqualTo(first));
    }

    [TestCase("ode", "pdg")]
    [TestCase("sde", "cfg")]
    [TestCase("ode", "none")]
    public void A_sample_does_not_depend_on_how_many_are_drawn(string sampler, string guidance)
    {
        float[] four = Samples("four.safetensors", "--count", "4", "--classes", "2,5-6", "--sampler", sampler, "--guidance", guidance);
        float[] one = Samples("one.safetensors", "--count", "1", "--classes", "6", "--sampler", sampler, "--guidance", guidance);
        Assert.That(four, Has.Length.EqualTo(3 * 4 * Image));
        Assert.That(one, Is.EqualTo(four[(8 * Image)..(9 * Image)]));
        Assert.That(one, Has.All.InRange(-1e3f, 1e3f).And.Some.Not.EqualTo(one[0]));
    }

    [Test]
    public void A_run_a_checkpoint_of_it_and_its_averaged_weights_are_the_same_model()
    {
        byte[] expected = Draw("run.safetensors");
        string checkpoint = Path.Combine(run, "checkpoints", "step-00000008");
        Assert.That(DrawFrom(checkpoint, "checkpoint.safetensors"), Is.EqualTo(expected));
        Assert.That(DrawFrom(Path.Combine(checkpoint, "ema.safetensors"), "ema.safetensors"), Is.EqualTo(expected));
        Assert.That(DrawFrom(Path.Combine(checkpoint, "model.safetensors"), "model.safetensors"), Is.Not.EqualTo(expected));
        File.Copy(Path.Combine(checkpoint, "ema.safetensors"), folder["alone.safetensors"], overwrite: true);
        Assert.That(DrawFrom(folder["alone.safetensors"], "alone-out.safetensors", "--config", folder["small.yaml"]), Is.EqualTo(expected));
        SprintCommand.Refuse(["sample", "--checkpoint", folder["alone.safetensors"]], "there is no config.yaml beside", "--config");
    }

    [TestCase("--classes 10", "--classes '10': '10' is no class or range of classes from 0 to 9")]
    [TestCase("--classes 3-1", "'3-1' is no class")]
    [TestCase("--classes shirts", "'shirts' is no class")]
    [TestCase("--scale 1000", "--scale 1000 must be from 0 to 100")]
    [TestCase("--scale NaN", "--scale NaN must be from 0 to 100")]
    [TestCase("--sampler heun", "--sampler 'heun' is not known: choose ode, sde")]
    [TestCase("--guidance strong", "--guidance 'strong' is not known: choose none, cfg, pdg")]
    [TestCase("--guidance-low 0.9 --guidance-high 0.1", "guidance_low 0.9 is above guidance_high 0.1")]
    [TestCase("--steps 0", "--steps 0 must be from 1 to 100000")]
    [TestCase("--count 0", "--count 0 must be from 1 to 1000")]
    [TestCase("--seed -1", "--seed -1 must be from 0 to 9223372036854775807")]
    [TestCase("--out grid.gif", "--out 'grid.gif' must end in .png or .safetensors")]
    [TestCase("--config none.yaml", "cannot read the configuration 'none.yaml'")]
    [TestCase("--device dryrun", "dryrun")]
    public void A_value_that_is_not_right_is_named(string line, string part) =>
        SprintCommand.Refuse(["sample", "--checkpoint", run, .. line.Split(' ')], part);

    [Test]
    public void A_checkpoint_that_is_damaged_or_of_another_model_is_named()
    {
        File.WriteAllBytes(folder["cut.safetensors"], File.ReadAllBytes(Path.Combine(run, "checkpoints", "step-00000008", "ema.safetensors"))[..1000]);
        SprintCommand.Refuse(["sample", "--checkpoint", folder["cut.safetensors"], "--config", folder["small.yaml"]], "cut.safetensors", "not a valid safetensors file");
        File.WriteAllText(folder["wide.yaml"], File.ReadAllText(folder["small.yaml"]).Replace("hidden_size: 32", "hidden_size: 64", StringComparison.Ordinal));
        SprintCommand.Refuse(["sample", "--checkpoint", run, "--config", folder["wide.yaml"]], "tensor 'x_embedder.proj.weight' has shape [32, 16], the model needs");
    }

    [Test]
    public void A_picture_that_cannot_be_written_is_named()
    {
        File.WriteAllText(folder["file"], "");
        SprintCommand.Refuse(["sample", "--checkpoint", run, "--count", "1", "--classes", "0", "--out", Path.Combine(folder["file"], "grid.png")], "cannot write", "grid.png");
    }

    private float[] Samples(string name, params string[] options)
    {
        Draw(name, options);
        using SafetensorsFile file = SafetensorsFile.Open(folder[name]);
        float[] samples = new float[file.Find("samples").ElementCount];
        file.ReadFloats("samples", samples);
        return samples;
    }

    private byte[] Draw(string name, params string[] options) => DrawFrom(run, name, options);

    private byte[] DrawFrom(string checkpoint, string name, params string[] options)
    {
        SprintCommand.Succeed(["sample", "--checkpoint", checkpoint, .. options.Contains("--count") ? (string[])[] : ["--count", "2"], "--out", folder[name], "--threads", "1", .. options]);
        return File.ReadAllBytes(folder[name]);
    }
}
