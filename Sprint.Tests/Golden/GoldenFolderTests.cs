using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Verification;
using Sprint.Tests.Engine;

namespace Sprint.Tests.Golden;

/// <summary>The reference implementation's own numbers: forward passes, gradients, optimizer steps and samplers of whole models.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
public sealed class GoldenFolderTests(string deviceName)
{
    [TestCase("tiny", "forward_dense", 1)]
    [TestCase("tiny", "forward_masked", 1)]
    [TestCase("tiny", "forward_pdg", 1)]
    [TestCase("tiny", "train_masked", 1)]
    [TestCase("tiny", "train_3steps", 2)]
    [TestCase("tiny", "sample_ode", 4)]
    [TestCase("tiny", "sample_sde", 4)]
    [TestCase("small", "train_dense", 1)]
    public void Every_case_agrees_with_the_reference(string folder, string file, int cases)
    {
        using Device device = TestDevice.Open(deviceName);
        var verifier = new GoldenVerifier(device, GoldenFile.PathOf(folder));
        IReadOnlyList<GoldenCase> results = verifier.Run(Path.Combine(GoldenFile.PathOf(folder), file + ".safetensors"));

        Assert.That(results, Has.Count.EqualTo(cases));
        foreach (GoldenCase result in results)
            Assert.That(result.Passes, $"{result.Name}: {result.Failure ?? result.Worst?.ToString()}");
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after the case");
    }

    [Test]
    public void The_verifier_finds_every_case_file()
    {
        using Device device = TestDevice.Open(deviceName);
        Assert.That(
            new GoldenVerifier(device, GoldenFile.PathOf("tiny")).CaseFiles.Select(Path.GetFileNameWithoutExtension),
            Is.EqualTo((string[])["forward_dense", "forward_masked", "forward_pdg", "sample_ode", "sample_sde", "train_3steps", "train_masked"]));
    }

    /// <summary>Every intermediate result, every gradient: a comparison that silently shrinks would prove nothing.</summary>
    [TestCase("forward_masked", 17)]
    [TestCase("train_masked", 69)]
    [TestCase("train_3steps", 6)]
    [TestCase("sample_ode", 14)]
    public void A_case_compares_all_that_the_file_holds(string file, int comparisons)
    {
        using Device device = TestDevice.Open(deviceName);
        IReadOnlyList<GoldenCase> results = new GoldenVerifier(device, GoldenFile.PathOf("tiny")).Run(Path.Combine(GoldenFile.PathOf("tiny"), file + ".safetensors"));
        Assert.That(results.Select(result => result.Comparisons.Count), Is.All.EqualTo(comparisons));
    }
}
