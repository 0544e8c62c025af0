using System.Xml.Linq;
using NUnit.Framework;
using Sprint.Bench;
using Sprint.Bench.Counting;
using Sprint.Bench.Report;
using Sprint.Bench.Results;

namespace Sprint.Tests.Bench;

/// <summary>The page of <c>report</c>: whole, well-formed, and in need of nothing else.</summary>
internal sealed class HtmlReportTests
{
    private static readonly BenchResults[] Sections =
    [
        FlopsCommand.Count(ModelOptions.Configure("S"), [0, 0.75], batch: 1),
        PublishedCommand.Describe(new PublishedFigures()),
        new BenchResults
        {
            Command = "micro", Title = "A <b>title</b> & more", Subject = "\"quoted\"", Device = "cpu", Tables = [new ResultTable("<script>", ["a"], [["</td>"]])], Notes = ["a < b"],
        },
    ];

    private static readonly string Page = HtmlReport.Page(Sections, ["peers: run peers --json peers.json"]);

    [Test]
    public void The_page_is_well_formed_with_every_section_table_chart_and_note()
    {
        XDocument page = XDocument.Parse(Page);
        Assert.That(page.Descendants("h2").Select(heading => heading.Value), Is.EqualTo(Sections.Select(section => section.Title).Append("Not in this page")));
        Assert.That(page.Descendants("table").Count(), Is.EqualTo(Sections.Sum(section => section.Tables.Count)));
        Assert.That(page.Descendants("h3").Select(heading => heading.Value), Is.EqualTo(Sections.SelectMany(section => section.Tables).Select(table => table.Title)));
        Assert.That(page.Descendants(XName.Get("svg", "http://www.w3.org/2000/svg")).Count(), Is.EqualTo(Sections.Sum(section => section.Charts.Count)));
        Assert.That(page.Descendants("td").Select(cell => cell.Value), Does.Contain("</td>"));
        Assert.That(page.Descendants("p").Select(text => text.Value), Does.Contain("a < b").And.Contain("peers: run peers --json peers.json"));
        Assert.That(page.Descendants("script"), Is.Empty);
    }

    [Test]
    public void The_page_needs_no_network()
    {
        // The namespace of SVG is a name, not a place.
        string text = Page.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
        Assert.That(text, Does.Not.Contain("http").And.Not.Contain("src=").And.Not.Contain("@import").And.Not.Contain("url(").And.Not.Contain("//"));
        string[] links = [.. XDocument.Parse(Page).Descendants().Attributes("href").Select(link => link.Value)];
        Assert.That(links, Is.Not.Empty.And.All.StartsWith("#"));
        Assert.That(links.Select(link => link[1..]), Is.SubsetOf(XDocument.Parse(Page).Descendants().Attributes("id").Select(id => id.Value)));
    }

    [Test]
    public void The_page_is_made_for_phones_and_for_both_schemes() => Assert.That(
        Page,
        Does.Contain("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>").And.Contain("prefers-color-scheme:dark").And.Contain("color-scheme:light dark")
            .And.Contain("overflow-x:auto").And.StartsWith("<!DOCTYPE html>"));

    [Test]
    public void The_page_names_machine_versions_and_commit() => Assert.That(XDocument.Parse(Page).Root!.Value, Does.Contain(Sections[0].Machine.ToString()));
}
