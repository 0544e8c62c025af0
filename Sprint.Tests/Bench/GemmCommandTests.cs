using System.CommandLine;
using NUnit.Framework;
using Sprint.Bench;
using Sprint.Engine;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Bench;

internal sealed class GemmCommandTests
{
    private static readonly RootCommand Root = new("test") { GemmCommand.Create(), PeakCommand.Create() };

    [TestCase("gemm --m 2048 --n 1152 --k 1152 --threads 2 --steps 20 --warmup 5")]
    [TestCase("gemm --form tn --epilogue gelu-backward")]
    [TestCase("gemm")]
    [TestCase("peak --threads 1")]
    public void A_right_command_line_has_no_mistake(string line)
        => Assert.That(Arguments.Mistake(Root.Parse(line)), Is.Null);

    [TestCase("", "No command is given; the commands are gemm, peak.")]
    [TestCase("gemn", "'gemn' is not a command or an option here; the commands are gemm, peak.")]
    [TestCase("gemm --depth 3", "'--depth' is not a command or an option here; the options of gemm are --m, --n, --k, --threads, --steps, --warmup, --form, --epilogue.")]
    [TestCase("gemm --m 0", "--m is '0'; it must be a whole number from 1 to 16777216.")]
    [TestCase("gemm --threads many", "--threads is 'many'; it must be a whole number from 1 to 1024.")]
    [TestCase("gemm --steps 99999999999", "--steps is '99999999999'; it must be a whole number from 1 to 1000000.")]
    [TestCase("gemm --form xy", "--form is 'xy'; it must be one of nt, nn, tn, tt.")]
    [TestCase("peak --threads -1", "--threads is '-1'; it must be a whole number from 1 to 1024.")]
    public void A_mistake_is_told_in_one_sentence(string line, string sentence)
        => Assert.That(Arguments.Mistake(Root.Parse(line)), Is.EqualTo(sentence));

    [Test]
    public void Matrices_beyond_the_memory_are_refused_with_their_size()
        => Assert.That(
            () => new GemmOperands(1 << 24, 1 << 24, 1 << 24, "nt"),
            Throws.TypeOf<SprintException>().With.Message.Contains("4294967360 MiB"));

    [Test]
    public void Every_form_and_epilogue_runs([Values("nt", "nn", "tn", "tt")] string form, [Values("none", "bias", "gelu", "silu", "gelu-backward")] string epilogue)
    {
        using WorkerPool pool = new(2);
        using GemmOperands operands = new(5, 20, 9, form);
        Assert.That(() => operands.Multiply(pool, epilogue), Throws.Nothing);
    }
}
