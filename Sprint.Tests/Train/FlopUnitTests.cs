using NUnit.Framework;
using Sprint.Tests.Model;
using Sprint.Train;

namespace Sprint.Tests.Train;

[TestFixture]
public sealed class FlopUnitTests
{
    [TestCase(2.5e15, "TFLOP", "2500.00")]
    [TestCase(1e12, "TFLOP", "1.00")]
    [TestCase(9.99e11, "GFLOP", "999.00")]
    [TestCase(1.5e9, "GFLOP", "1.50")]
    [TestCase(7.135e6, "MFLOP", "7.13")]
    [TestCase(1e4, "MFLOP", "0.01")]
    public void A_count_has_the_greatest_unit_that_does_not_round_it_away(double flops, string name, string count)
    {
        FlopUnit unit = FlopUnit.Of(flops);
        Assert.That((unit.Name, unit.Count(flops)), Is.EqualTo((name, count)));
    }

    [Test]
    public void A_dry_run_of_a_small_model_tells_every_cost_in_a_unit_of_its_size()
    {
        using TemporaryFolder folder = new();
        string output = SprintCommand.Succeed("train", SmallConfiguration.Write(folder["small.yaml"]), "--device", "dryrun");
        Assert.That(output, Does.Match("MFLOP a step").And.Match("[MG]FLOP in all").And.Match("all stages: [0-9.]+ [MG]FLOP where dense steps cost"));
        Assert.That(output, Does.Not.Match(@"\b0\.0"));
    }
}
