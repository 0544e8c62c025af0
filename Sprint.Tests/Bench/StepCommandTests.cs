using System.CommandLine;
using System.Globalization;
using System.Text.Json;
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

    /// <summary>Also where the device works while the host goes on, and replays what it has captured.</summary>
    [TestCase("cpu")]
    [TestCase("emulated")]
    public void A_profile_lists_each_operation_with_its_time_and_the_times_are_a_step(string device)
    {
        using StringWriter json = new();
        TextWriter console = Console.Out;
        Console.SetOut(json);
        try
        {
            string[] line = ["--device", device, "--hidden", "32", "--heads", "1", "--side", "4", "--mid", "1", "--batch", "1", "--drop", "0.75", "--steps", "2", "--warmup", "0", "--profile", "--json"];
            Assert.That(StepCommand.Create().Parse(line).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false }), Is.Zero);
        }
        finally
        {
            Console.SetOut(console);
        }

        using JsonDocument document = JsonDocument.Parse(json.ToString());
        JsonElement[] profiles = [.. document.RootElement.GetProperty("tables").EnumerateArray().Where(static table => table.GetProperty("title").GetString()!.StartsWith("time of each operation", StringComparison.Ordinal))];
        Assert.That(profiles, Has.Length.EqualTo(2));
        foreach (JsonElement profile in profiles)
        {
            string[][] rows = [.. profile.GetProperty("rows").EnumerateArray().Select(static row => row.EnumerateArray().Select(static cell => cell.GetString()!).ToArray())];
            Assert.That(rows.Select(static row => (row[0], row[1])), Is.SupersetOf(new[] { ("linear", "forward"), ("linear", "backward"), ("attention", "backward"), ("adamw", "optimizer") }));
            double shares = rows.Sum(static row => double.Parse(row[3].TrimEnd('%'), CultureInfo.InvariantCulture));
            Assert.That(shares, Is.EqualTo(100).Within(0.05 * rows.Length), "shares, each rounded to a tenth of a percent");
            Assert.That(rows.Count(static row => row[3] != "0.0%"), Is.GreaterThan(5));
        }
    }
}
