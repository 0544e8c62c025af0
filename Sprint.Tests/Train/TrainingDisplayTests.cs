using NUnit.Framework;
using Sprint.Model.Training;
using Sprint.Train;

namespace Sprint.Tests.Train;

[TestFixture]
public sealed class TrainingDisplayTests
{
    [TestCase(0.9, "00:00:00")]
    [TestCase(3723, "01:02:03")]
    [TestCase((27 * 3600) + 59, "27:00:59")]
    [TestCase(1000.0 * 3600, "1000:00:00")]
    public void Time_left_counts_days_in_hours(double seconds, string text) => Assert.That(TrainingDisplay.TimeLeft(seconds), Is.EqualTo(text));

    [Test]
    public void Dense_time_is_printed_only_where_it_was_timed()
    {
        var account = new StageAccount { Steps = 10, Seconds = 5, DenseSeconds = 15 };
        Assert.That(AccountReport.DenseTime(account), Is.EqualTo("15 s"));
        Assert.That(AccountReport.DenseTime(account with { DenseSeconds = null }), Is.EqualTo("not timed"));
    }
}
