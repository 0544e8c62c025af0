using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Configuration;
using Sprint.Model.Verification;
using Sprint.Tests.Engine;

namespace Sprint.Tests.Golden;

/// <summary>The reference implementation's numbers for models that differ from the shipped ones; README.md beside says how the folders were made.</summary>
[TestFixture(TestDevice.Cpu)]
[TestFixture(TestDevice.Emulated)]
[TestFixture(TestDevice.EmulatedBFloat16)]
[TestFixture(TestDevice.Cuda, Category = "Gpu")]
[TestFixture(TestDevice.CudaBFloat16, Category = "Gpu")]
public sealed class GoldenVariantTests(string deviceName)
{
    private static readonly string[] Folders = ["alignment", "patch4", "swiglu_lora"];

    [TestCaseSource(nameof(Folders))]
    public void Every_case_agrees_with_the_reference(string folder)
    {
        using Device device = TestDevice.Open(deviceName);
        Precision precision = TestDevice.Element(deviceName) == ElementType.Float32 ? Precision.Fp32 : Precision.Bf16;
        var verifier = new GoldenVerifier(device, GoldenFile.PathOf(folder), precision);
        string[] failures =
        [
            .. verifier.CaseFiles.SelectMany(verifier.Run).Where(result => !result.Passes).Select(result => $"{result.Name}: {result.Failure ?? result.Worst?.ToString()}"),
        ];
        Assert.That(failures, Is.Empty);
        Assert.That(verifier.CaseFiles, Has.Count.EqualTo(7));
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after the cases");
    }
}
