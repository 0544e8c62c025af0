using System.CommandLine;
using NUnit.Framework;
using Sprint.Bench.Steps;
using Sprint.Engine;

namespace Sprint.Tests.Bench;

internal sealed class StepCommandTests
{
    [TestCase("--batch 65536 --side 64 --patch 4 --drop 0", "--batch 65536 with images of 1 x 256 x 256 is 4294967296 numbers", "lower --batch")]
    [TestCase("--hidden 2048 --heads 4", "hidden_size 2048 over num_heads 4 gives heads of 512 channels: attention takes at most 256")]
    public void A_step_too_large_is_refused_in_one_sentence(string line, params string[] parts)
    {
        ParseResult result = StepCommand.Create().Parse(line);
        foreach (string part in parts)
        {
            Assert.That(
                () => result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false }),
                Throws.TypeOf<SprintException>().With.Message.Contains(part));
        }
    }
}
