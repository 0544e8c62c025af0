using System.Globalization;
using Spectre.Console;
using Sprint.Model.Configuration;
using Sprint.Model.Training;

namespace Sprint.Train;

/// <summary>Prints what a run cost and what the same steps would have cost with every token kept.</summary>
internal static class AccountReport
{
    internal static void Print(TrainingConfiguration configuration, RunState state)
    {
        var table = new Table { Border = TableBorder.Simple, Title = new TableTitle("what the run cost, and what the same steps cost with every token kept") };
        table.AddColumn("");
        for (int i = 0; i < state.Accounts.Count; i++)
        {
            string name = configuration.Stages[i].Name;
            table.AddColumn(new TableColumn(Markup.Escape(name.Length > 0 ? name : $"stage {i + 1}")).RightAligned());
        }

        AddRow("steps", account => account.Steps.ToString(CultureInfo.InvariantCulture));
        FlopUnit unit = FlopUnit.Of(state.Accounts.Sum(account => account.Flops));
        AddRow($"{unit.Name} forward", account => unit.Count(account.ForwardFlops));
        AddRow($"{unit.Name} backward", account => unit.Count(account.BackwardFlops));
        AddRow($"{unit.Name} optimizer", account => unit.Count(account.OptimizerFlops));
        AddRow($"{unit.Name} in all", account => unit.Count(account.Flops));
        AddRow("  dense", account => unit.Count(account.DenseFlops));
        AddRow("  saved", account => Saved(account.Flops, account.DenseFlops));
        AddRow("time", account => Seconds(account.Seconds));
        AddRow("  dense", DenseTime);
        AddRow("  saved", account => account.DenseSeconds is { } dense ? Saved(account.Seconds, dense) : "");
        AddRow("peak memory", account => Mebibytes(account.PeakBytes));
        AddRow("  dense", account => Mebibytes(account.DensePeakBytes));
        AddRow("  saved", account => Saved(account.PeakBytes, account.DensePeakBytes));
        AnsiConsole.Write(table);
        double flops = state.Accounts.Sum(account => account.Flops);
        double dense = state.Accounts.Sum(account => account.DenseFlops);
        double seconds = state.Accounts.Sum(account => account.Seconds);
        string denseTime = state.Accounts.Aggregate((double?)0, (sum, account) => sum + account.DenseSeconds) is { } denseSeconds
            ? string.Create(CultureInfo.InvariantCulture, $" where they take {Seconds(denseSeconds)} ({Saved(seconds, denseSeconds)} saved)")
            : ", dense steps not timed";
        AnsiConsole.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"all stages: {unit.Count(flops)} {unit.Name} where dense steps cost {unit.Count(dense)} ({Saved(flops, dense)} saved), {Seconds(seconds)}{denseTime}"));
        AnsiConsole.WriteLine("dense FLOPs and memory are counted on dryrun; dense time is the run's own, scaled by what dense and sparse steps in turn took on this device");

        void AddRow(string what, Func<StageAccount, string> value) => table.AddRow([what, .. state.Accounts.Select(value)]);
    }

    /// <summary>What dense steps would have taken, where that is known.</summary>
    internal static string DenseTime(StageAccount account) => account.DenseSeconds is { } dense ? Seconds(dense) : "not timed";

    internal static string Mebibytes(double bytes) => (bytes / 1048576).ToString("F0", CultureInfo.InvariantCulture) + " MiB";

    /// <summary>How much less, in percent; nothing where there is nothing to compare.</summary>
    internal static string Saved(double spent, double dense) =>
        dense > 0 ? Math.Round(100 * (1 - (spent / dense))).ToString("0;-0;0", CultureInfo.InvariantCulture) + "%" : "";

    private static string Seconds(double seconds) => seconds.ToString(seconds < 10 ? "F1" : "F0", CultureInfo.InvariantCulture) + " s";
}
