using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Verification;
using Sprint.Tests.Engine;

namespace Sprint.Tests.Golden;

/// <summary>
/// The reference implementation's own numbers: forward passes, gradients, optimizer steps and samplers of whole models; in mixed precision, errors beside
/// those of a plain low-precision implementation. README.md beside says how the numbers were made.
/// </summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class GoldenFolderTests(string deviceName)
{
    private readonly Precision precision = TestDevice.Element(deviceName) == ElementType.Float32 ? Precision.Fp32 : Precision.Bf16;

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
        var verifier = new GoldenVerifier(device, GoldenFile.PathOf(folder), precision);
        RequireAgreement(device, verifier.Run(Path.Combine(GoldenFile.PathOf(folder), file + ".safetensors")), cases);
    }

    [TestCase("alignment")]
    [TestCase("patch4")]
    [TestCase("swiglu_lora")]
    public void Every_case_of_a_model_unlike_the_shipped_ones_agrees_with_the_reference(string folder)
    {
        using Device device = TestDevice.Open(deviceName);
        var verifier = new GoldenVerifier(device, GoldenFile.PathOf(folder), precision);
        RequireAgreement(device, [.. verifier.CaseFiles.SelectMany(verifier.Run)], cases: 14);
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
        IReadOnlyList<GoldenCase> results = new GoldenVerifier(device, GoldenFile.PathOf("tiny"), precision).Run(Path.Combine(GoldenFile.PathOf("tiny"), file + ".safetensors"));
        Assert.That(results.Select(result => result.Comparisons.Count), Is.All.EqualTo(comparisons));
    }

    private static void RequireAgreement(Device device, IReadOnlyList<GoldenCase> results, int cases)
    {
        Assert.That(results, Has.Count.EqualTo(cases));
        Assert.That(results.Where(result => !result.Passes).Select(result => $"{result.Name}: {result.Failure ?? result.Worst?.ToString()}"), Is.Empty);
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after the cases");
    }
}
