using System.CommandLine;
using NUnit.Framework;
using Sprint.Bench;
using Sprint.Engine;

namespace Sprint.Tests.Bench;

/// <summary>Command lines of Sprint.Bench: examples of the help, and mistakes told in one sentence.</summary>
internal sealed class BenchCommandLineTests
{
    private static readonly RootCommand Root = BenchCommandLine.Root();

    private static IEnumerable<TestCaseData> Examples =>
        from command in Root.Subcommands.Append<Command>(Root)
        from line in (command.Description ?? "").Split('\n').SkipWhile(line => !line.StartsWith("Example", StringComparison.Ordinal)).Skip(1)
        where line.Length > 0
        select new TestCaseData(line.Trim());

    [TestCaseSource(nameof(Examples))]
    public void An_example_of_the_help_is_right(string line) =>
        Assert.That(Arguments.Mistake(Root.Parse(line)), Is.Null);

    [Test]
    public void Every_command_has_an_example_of_its_own() => Assert.That(
        Root.Subcommands.Where(command => !Examples.Any(example => ((string)example.Arguments[0]!).StartsWith(command.Name, StringComparison.Ordinal))).Select(command => command.Name),
        Is.Empty);

    [TestCase("", "No command is given; the commands are flops, ")]
    [TestCase("flop", "'flop' is not a command or an option here; the commands are flops, ")]
    [TestCase("flops --size 3", "'--size' is not a command or an option here; the options of flops are --batch, ")]
    [TestCase("flops --batch 0", "--batch is '0'; it must be a whole number from 1 to 1048576.")]
    [TestCase("flops --batch", "--batch needs a value: Images of a training step")]
    [TestCase("flops --drop 0.5,half", "--drop has 'half'; a drop ratio is a number from 0 to 0.9375, several have commas between: 0,0.5,0.75.")]
    [TestCase("flops --drop 0.95", "--drop has '0.95'; a drop ratio is a number from 0 to 0.9375")]
    [TestCase("flops --drop NaN", "--drop has 'NaN'; a drop ratio is a number from 0 to 0.9375")]
    [TestCase("flops --drop -0.1", "--drop has '-0.1'; a drop ratio is a number from 0 to 0.9375")]
    [TestCase("flops --drop ,", "--drop has ''; a drop ratio is a number from 0 to 0.9375")]
    [TestCase("compare old.json", "NEW.json is missing: The newer results, of the same command.")]
    [TestCase("compare old.json new.json --floor -1", "--floor is '-1'; it must be a number of percent from 0 to 100.")]
    [TestCase("step --mode learn", "--mode is 'learn'; it must be one of train, forward.")]
    [TestCase("step --steps 5 --steps 6", "--steps is given more than once.")]
    [TestCase("flops --image-size big", "--image-size is 'big'; it must be a whole number from 1 to 65536.")]
    public void A_mistake_is_told_in_one_sentence(string line, string sentence)
    {
        string? mistake = Arguments.Mistake(Root.Parse(line));
        Assert.That(mistake, Does.StartWith(sentence));
        Assert.That(mistake, Does.Not.Contain('\n'));
    }

    [TestCase("flops --model XXL", "--model 'XXL' is neither one of the sizes S, B, L, XL nor a file")]
    [TestCase("flops --image-size 250", "--image-size 250 is no multiple of 16, the 8 pixels of a latent pixel times --patch 2: the nearest are 240 and 256")]
    [TestCase("flops --model S --image-size 16384", "has 1048576 tokens: at most 65536 are counted")]
    [TestCase("flops --schedule 0.75x100", "--schedule has the stage '0.75x100'; a stage is DROPxSTEPSxBATCH")]
    [TestCase("flops --schedule 0.99x100x1", "--schedule has the stage '0.99x100x1'")]
    [TestCase("flops --chart saving.jpg", "--chart 'saving.jpg' must end in .svg or .png")]
    [TestCase("flops --image-size 8", "--image-size 8 is no multiple of 16, the 8 pixels of a latent pixel times --patch 2: the smallest is 16")]
    [TestCase("flops --json --csv", "--json and --csv would both go to the terminal: name a file after one of them")]
    [TestCase("flops --json \"\"", "cannot write '': a file needs a name")]
    [TestCase("published --csv .", "cannot write '.': it is a folder")]
    [TestCase("step --json .", "cannot write '.': it is a folder")]
    [TestCase("micro --json .", "cannot write '.': it is a folder")]
    [TestCase("micro --artifacts \"\"", "--artifacts '' names no folder: give one, e.g. artifacts/micro")]
    [TestCase("kernels --json .", "cannot write '.': it is a folder")]
    [TestCase("report --out .", "cannot write '.': it is a folder")]
    [TestCase("step --model S --hidden 64", "--hidden is given beside --model, which has one")]
    [TestCase("step --hidden 130", "model: num_heads 4 does not divide hidden_size 130")]
    [TestCase("compare nowhere.json other.json", "cannot read 'nowhere.json'")]
    [TestCase("report nowhere.json", "cannot read 'nowhere.json'")]
    [TestCase("flops --measured nowhere.json", "cannot read 'nowhere.json'")]
    public void Values_that_do_not_fit_are_refused_in_one_sentence(string line, string sentence)
    {
        ParseResult result = Root.Parse(line);
        Assert.That(Arguments.Mistake(result), Is.Null);
        Assert.That(
            () => result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false }),
            Throws.TypeOf<SprintException>().With.Message.StartsWith(sentence).Or.Message.Contains(sentence));
    }

    [TestCase("0.75,0,0.75,0.5", new[] { 0, 0.5, 0.75 })]
    [TestCase("0.9375", new[] { 0.9375 })]
    public void Ratios_come_in_order_and_once(string text, double[] ratios)
    {
        Option<double[]> option = Arguments.Ratios("--drop", "");
        Assert.That(new Command("test") { option }.Parse($"--drop {text}").GetValue(option), Is.EqualTo(ratios));
    }
}
