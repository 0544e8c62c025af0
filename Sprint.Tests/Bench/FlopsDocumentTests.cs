using NUnit.Framework;
using Sprint.Bench;
using Sprint.Bench.Counting;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Tests.Model.Data;

namespace Sprint.Tests.Bench;

/// <summary>The hand derivation in docs/flops.md gives what is counted, entry by entry.</summary>
[TestFixture]
internal sealed class FlopsDocumentTests
{
    private static readonly IReadOnlyList<Row> Rows = ReadRows();

    [Test]
    public void Every_entry_of_a_step_is_what_the_document_derives(
        [Values("tiny", "deep", "swiglu", "lora", "both", "aligned", "S", "XL")] string name, [Values(0, 0.5, 0.75, 0.9375)] double ratio, [Values(1, 3)] int batch)
    {
        ModelConfiguration model = Model(name);
        StepCount count = StepCount.Of(model, new LossConfiguration(), ModelOptions.Pattern(model, ratio), batch);
        Dictionary<AccountKey, (double Products, double Others)> derived = Derive(model, count);

        Dictionary<AccountKey, (double Products, double Others)> counted = count.Entries.ToDictionary(
            entry => entry.Key, entry => ((double)entry.Total.MatrixFlops, (double)entry.Total.VectorFlops));

        // What the document has no row for must not be counted, and what it derives must be: rows of nothing may be missing.
        Assert.That(counted.Where(entry => !derived.TryGetValue(entry.Key, out (double, double) value) || value != entry.Value), Is.Empty);
        Assert.That(derived.Where(entry => entry.Value != (0, 0) && !counted.ContainsKey(entry.Key)), Is.Empty);
    }

    [Test]
    public void A_formula_that_were_wrong_would_be_noticed()
    {
        ModelConfiguration model = Model("tiny");
        StepCount count = StepCount.Of(model, new LossConfiguration(), ModelOptions.Pattern(model, 0.75), 2);
        AccountKey key = new(ComputePass.Forward, "middle/attention", "attention");
        double counted = count.Entries.Single(entry => entry.Key == key).Total.MatrixFlops;
        Assert.That(Derive(model, count)[key].Products, Is.EqualTo(counted));
        Assert.That(Formula.Evaluate("4*B*N*N*D*L", Letters(model, count, count.Pattern.KeptTokens, model.MiddleDepth)), Is.Not.EqualTo(counted));
    }

    [TestCase("2*(3+4)-6/2", 11)]
    [TestCase("B*n + 1", 7)]
    public void Formulas_are_evaluated_by_the_usual_rules(string text, double value) =>
        Assert.That(Formula.Evaluate(text, new Dictionary<string, double> { ["B"] = 2, ["n"] = 3 }), Is.EqualTo(value));

    [TestCase("2*")]
    [TestCase("(2")]
    [TestCase("Q")]
    [TestCase("2 B")]
    public void What_is_no_formula_is_refused(string text) =>
        Assert.That(() => Formula.Evaluate(text, new Dictionary<string, double> { ["B"] = 2 }), Throws.InstanceOf<FormatException>());

    private static ModelConfiguration Model(string name) => name switch
    {
        "tiny" => new ModelConfiguration { ContextSize = 8, HiddenSize = 32, NumHeads = 2, EncoderDepth = 1, MiddleDepth = 2, DecoderDepth = 1 },
        "deep" => new ModelConfiguration { ContextSize = 32, InChannels = 3, HiddenSize = 48, NumHeads = 3, EncoderDepth = 3, MiddleDepth = 5, DecoderDepth = 2, MlpRatio = 2 },
        "swiglu" => Model("tiny") with { UseSwiglu = true, UseSwigluLarge = false },
        "lora" => Model("deep") with { AdalnType = "lora", AdalnLoraDim = 6 },
        "aligned" => Model("deep") with { RepresentationAlign = true, RepresentationDepth = 6, DimProjection = 20, ProjectorHiddenDim = 28 },
        "both" => ModelConfiguration.Named("B") with { UseSwiglu = true, AdalnType = "lora", AdalnLoraDim = 192 },
        _ => ModelConfiguration.Named(name),
    };

    private static Dictionary<AccountKey, (double Products, double Others)> Derive(ModelConfiguration model, StepCount count)
    {
        var derived = new Dictionary<AccountKey, (double, double)>();
        (string Part, int Depth, int Tokens)[] parts =
        [
            (ModelPart.Encoder, model.EncoderDepth, count.Pattern.Tokens),
            (ModelPart.Middle, model.MiddleDepth, count.Pattern.KeptTokens),
            (ModelPart.Decoder, model.DecoderDepth, count.Pattern.Tokens),
        ];
        foreach (Row row in Rows)
        {
            if (row.Part.StartsWith("block/", StringComparison.Ordinal))
            {
                foreach ((string part, int depth, int tokens) in parts)
                    Add(row, row.Part.Replace("block", part, StringComparison.Ordinal), Letters(model, count, tokens, depth), depth);
            }
            else
            {
                Add(row, row.Part == "objective" ? "" : row.Part, Letters(model, count, 0, 0), 1);
            }
        }

        return derived;

        void Add(Row row, string part, Dictionary<string, double> letters, int times) => derived.Add(
            new AccountKey(row.Pass, part, row.Operation),
            (times * Formula.Evaluate(row.Products, letters), times * Formula.Evaluate(row.Rest, letters)));
    }

    private static Dictionary<string, double> Letters(ModelConfiguration model, StepCount count, int tokens, int depth) => new()
    {
        ["B"] = count.Batch,
        ["N"] = count.Pattern.Tokens,
        ["M"] = count.Pattern.KeptTokens,
        ["n"] = tokens,
        ["D"] = model.HiddenSize,
        ["H"] = model.NumHeads,
        ["F"] = model.MlpWidth,
        ["P"] = model.PatchFeatures,
        ["I"] = model.InChannels * model.ContextSize * model.ContextSize,
        ["U"] = count.Pattern.Kind == DropKind.None ? 0 : 1,
        ["E"] = count.Parameters - model.HiddenSize,
        ["L"] = depth,
        ["G"] = model.UseSwiglu ? 1 : 0,
        ["V"] = model.AdalnLoraRank is null ? 0 : 1,
        ["R"] = model.AdalnLoraRank ?? 0,
        ["A"] = model.RepresentationAlign ? 1 : 0,
        ["J"] = model.ProjectorHiddenDim,
        ["K"] = model.DimProjection,
        ["X"] = model.EncoderDepth,
        ["Y"] = model.MiddleDepth,
        ["Z"] = model.DecoderDepth,
    };

    private static IReadOnlyList<Row> ReadRows() =>
    [
        .. File.ReadLines(RepositoryFolder.Find(Path.Combine("docs", "flops.md")))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length == 7 && Enum.TryParse<ComputePass>(cells[1], ignoreCase: true, out _))
            .Select(cells => new Row(Enum.Parse<ComputePass>(cells[1], ignoreCase: true), cells[2], cells[3], cells[4].Trim('`'), cells[5].Trim('`'))),
    ];

    private sealed record Row(ComputePass Pass, string Part, string Operation, string Products, string Rest);
}
