using System.Runtime.CompilerServices;
using NUnit.Framework;

namespace Sprint.Tests.Documentation;

[TestFixture]
internal sealed class ReadmeTests
{
    [Test]
    public void TheSnippetOfTheReadmeIsTheOneThatIsCompiledHere()
    {
        string[] source = File.ReadAllLines(Path.Combine(Folder(), "ReadmeSnippet.cs"));
        int first = Array.FindIndex(source, line => line.Trim() == "// snippet") + 1;
        int end = Array.FindIndex(source, line => line.Trim() == "// end of snippet");
        string snippet = string.Join('\n', source[first..end].Select(line => line.Length > 8 ? line[8..] : ""));

        string readme = File.ReadAllText(Path.Combine(Folder(), "..", "..", "README.md")).ReplaceLineEndings("\n");

        Assert.That(readme, Does.Contain(snippet));
    }

    [Test]
    public void TheSnippetTrains()
    {
        (float first, float last, long forward, long backward) = ReadmeSnippet.Run();

        Assert.That(last, Is.LessThan(first));
        Assert.That(backward, Is.GreaterThan(forward));
    }

    [Test]
    public void EveryFileThatTheReadmeLinksToIsThere()
    {
        string root = Path.Combine(Folder(), "..", "..");
        string readme = File.ReadAllText(Path.Combine(root, "README.md"));
        string[] links = [.. System.Text.RegularExpressions.Regex.Matches(readme, @"\]\(([^)#:]+)\)").Select(match => match.Groups[1].Value)];

        Assert.That(links, Is.Not.Empty);
        Assert.That(links.Where(link => !Path.Exists(Path.Combine(root, link))), Is.Empty);
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
