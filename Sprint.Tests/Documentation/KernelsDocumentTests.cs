using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Tests.Engine.Cuda;
using Sprint.Tests.Train;

namespace Sprint.Tests.Documentation;

/// <summary>Does what docs/kernels.md says, file by file and command by command, in a folder of its own.</summary>
[TestFixture]
[NonParallelizable]
internal sealed partial class KernelsDocumentTests
{
    /// <summary>What the page shows is of this version: others number registers and lines of PTX differently.</summary>
    private static readonly Version Shown = new(11, 8);

    private static string Root => Path.GetFullPath(Path.Combine(Folder(), "..", ".."));

    private static string Document => File.ReadAllText(Path.Combine(Root, "docs", "kernels.md")).ReplaceLineEndings("\n");

    [Test]
    public void EveryFileAndCommandOfThePageDoesWhatItSays()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        if (compiler.Version != Shown)
        {
            Assert.Inconclusive($"The page shows what NVRTC {Shown} prints; this is {compiler.Version}.");
        }

        using TemporaryFolder folder = new();
        folder.Write("mine/random.cu", File.ReadAllText(Path.Combine(Root, "kernels", "random.cu")));
        using var place = new CurrentFolder(folder.Path);
        int commands = 0;
        foreach (Match block in CodeBlock().Matches(Document))
        {
            string text = block.Groups["text"].Value;
            switch (block.Groups["language"].Value)
            {
                case "cuda":
                    folder.Write(FileName().Match(text).Groups["name"].Value, text);
                    break;
                case "console":
                    commands += RunCommands(text);
                    break;
            }
        }

        Assert.That(commands, Is.EqualTo(7));
        Assert.That(File.Exists("sums.safetensors"), Is.True);
        (float mean, float[] numbers) = KernelsSnippet.Run();
        Assert.That(mean, Is.EqualTo(0.5f).Within(0.02f));
        Assert.That(numbers, Has.All.InRange(0f, 0.99999994f));
        Assert.That(numbers[0], Is.EqualTo(HashUniform(1, 0)));
    }

    [Test]
    public void TheSnippetsOfThePageAreThoseThatAreCompiledHere()
    {
        string source = File.ReadAllText(Path.Combine(Folder(), "KernelsSnippet.cs")).ReplaceLineEndings("\n");
        string[] compiled = [.. Snippet().Matches(source).Select(static match => Unindent(match.Groups["text"].Value))];
        string[] shown = [.. CodeBlock().Matches(Document).Where(static block => block.Groups["language"].Value == "csharp").Select(static block => block.Groups["text"].Value)];
        Assert.That(shown, Has.Length.EqualTo(2));
        Assert.That(shown, Is.EquivalentTo(compiled));
    }

    [Test]
    public void OutputThatDiffersIsNoticed()
    {
        Assert.That(Fits("a\n...\nb", "a\nx\ny\nb"), Is.True);
        Assert.That(Fits("a\n...", "a\nx"), Is.True);
        Assert.That(Fits("a   1", "  a 1  "), Is.True);
        Assert.That(Fits("a\nb", "a\nx\nb"), Is.False);
        Assert.That(Fits("a\n...\nc", "a\nx\ny\nb"), Is.False);
        Assert.That(Fits("a", "a\nb"), Is.False);
    }

    private static int RunCommands(string text)
    {
        int count = 0;
        int last = 0;
        string[] parts = ("\n" + text).Split("\n$ ", StringSplitOptions.RemoveEmptyEntries);
        foreach ((int index, string part) in parts.Index())
        {
            string[] lines = part.TrimEnd('\n').Split('\n');
            string expected = string.Join('\n', lines.Skip(1));
            if (lines[0] == "echo $?")
            {
                Assert.That(expected.Trim(), Is.EqualTo($"{last}"), text);
                continue;
            }

            string[] words = lines[0].Split(' ');
            Assert.That(words[0], Is.EqualTo("sprint"));
            CommandResult result = SprintCommand.Run(words[1..]);
            string output = result.Output + result.Error;
            Assert.That(Fits(expected, output), Is.True, $"$ {lines[0]}\nprints\n{output}\ninstead of\n{expected}");
            last = result.ExitCode;
            bool told = index + 1 < parts.Length && parts[index + 1].StartsWith("echo $?", StringComparison.Ordinal);
            Assert.That(told || last == 0, Is.True, $"$ {lines[0]}\nfails with exit code {last}, which the page does not tell");
            count++;
        }

        return count;
    }

    /// <summary>Whether output is what is shown, line by line but for the number of spaces; a line "..." stands for any lines.</summary>
    private static bool Fits(string shown, string output)
    {
        string pattern = string.Concat(Normal(shown).Select(static line => line == "..." ? "(?:[^\n]*\n)*?" : Regex.Escape(line) + "\n"));
        return Regex.IsMatch(string.Concat(Normal(output).Select(static line => line + "\n")), $@"\A{pattern}\z");
    }

    private static IEnumerable<string> Normal(string text) =>
        text.ReplaceLineEndings("\n").Split('\n').Select(static line => Rule().Replace(Spaces().Replace(line, " ").Trim(), "─")).Where(static line => line.Length > 0);

    private static string Unindent(string text)
    {
        string[] lines = text.Split('\n');
        int indent = lines.Where(static line => line.Length > 0).Min(static line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => line.Length > indent ? line[indent..] : ""));
    }

    private static float HashUniform(ulong seed, ulong i)
    {
        ulong z = seed + ((i + 1) * 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return ((z ^ (z >> 31)) >> 40) * (1f / (1 << 24));
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex("^```(?<language>\\w+)\\n(?<text>.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\A// (?<name>\S+):")]
    private static partial Regex FileName();

    [GeneratedRegex(@"^ *// snippet\n(?<text>.*?)^ *// end of snippet$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Snippet();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();

    [GeneratedRegex("─+")]
    private static partial Regex Rule();

    /// <summary>The page's commands are called in the folder of its files.</summary>
    private sealed class CurrentFolder : IDisposable
    {
        private readonly string before = Environment.CurrentDirectory;

        public CurrentFolder(string folder) => Environment.CurrentDirectory = folder;

        public void Dispose() => Environment.CurrentDirectory = before;
    }
}
