using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Sampling;

namespace Sprint.Bench.Counting;

/// <summary>A published figure beside the count.</summary>
/// <param name="Name">What it is of.</param>
/// <param name="Published">As printed, in TFLOP.</param>
/// <param name="Counted">As counted, in TFLOP.</param>
/// <param name="Assumption">Under what the count stands.</param>
internal sealed record PublishedFigure(string Name, double Published, double Counted, string Assumption)
{
    /// <summary>How far the count is from what is printed.</summary>
    public double Difference => (Counted / Published) - 1;
}

/// <summary>
/// The published figures of arXiv 2510.21986 for images of 256x256 beside what <c>dryrun</c> counts. They count products of a padded fusion; ours runs over kept rows.
/// 1 TFLOP = 1e12, a multiply-add is 2. Source: SPRINT.md section 6.
/// </summary>
internal sealed class PublishedFigures
{
    /// <summary>How far a count for inference may be from what is printed with three digits.</summary>
    public const double Tolerance = 0.005;

    /// <summary>Images of ImageNet's training set.</summary>
    private const double ImageNetImages = 1_281_167;
    private const double Tera = 1e12;

    /// <summary>The end of the guidance interval that the figure with an interval is taken to mean: SiT models with REPA are sampled with guidance where t is at most 0.7.</summary>
    private const double IntervalEnd = 0.7;
    private const int SamplingSteps = 250;

    private readonly ModelConfiguration model = ModelConfiguration.Named("XL");
    private readonly double width;
    private readonly double tokens;
    private readonly DropPattern sparse;
    private readonly StepCount sparseStep;
    private readonly StepCount denseStep;

    /// <summary>Counts.</summary>
    public PublishedFigures()
    {
        (width, tokens) = (model.HiddenSize, model.Tokens);
        sparse = ModelOptions.Pattern(model, 0.75);
        sparseStep = StepCount.Of(model, new LossConfiguration(), sparse, batch: 1);
        denseStep = StepCount.Of(model, new LossConfiguration(), ModelOptions.Pattern(model, 0), batch: 1);
        Inference = CountInference();
        DenseImage = ForwardProducts(denseStep) / Tera;
        SparseImage = ForwardProducts(sparseStep) / Tera;
        DensePlain = PlainProducts(denseStep) / Tera;
        DenseShare = SolveDenseShare();
        Training = CountTraining();
    }

    /// <summary>The rows of inference.</summary>
    public IReadOnlyList<PublishedFigure> Inference { get; }

    /// <summary>The rows of training.</summary>
    public IReadOnlyList<PublishedFigure> Training { get; }

    /// <summary>Products of a forward pass of one image with every token, the fusion padded, in TFLOP.</summary>
    public double DenseImage { get; }

    /// <summary>Products of a forward pass of one image with a quarter of the tokens, the fusion padded, in TFLOP.</summary>
    public double SparseImage { get; }

    /// <summary>Products of a forward pass of one image with every token without a fusion: SiT-XL/2, in TFLOP.</summary>
    public double DensePlain { get; }

    /// <summary>The share of images that the dense stage must see for SPRINT's training figure to come out.</summary>
    public double DenseShare { get; }

    /// <summary>The published ratio of SPRINT's training cost to SiT-XL's.</summary>
    public static double PublishedRatio => 65.1 / 122.2;

    /// <summary>That ratio as counted, by the recipe of a tenth as many dense steps of four times the batch.</summary>
    public double CountedRatio => Training[2].Counted / Training[1].Counted;

    /// <summary>Whether every row of inference is within <see cref="Tolerance"/>.</summary>
    public bool InferenceAgrees => Agree(Inference);

    /// <summary>Whether every row is within <see cref="Tolerance"/>; what is no number is not.</summary>
    /// <param name="rows">The rows.</param>
    public static bool Agree(IEnumerable<PublishedFigure> rows) => rows.All(static row => Math.Abs(row.Difference) <= Tolerance);

    /// <summary>What the fusion without padding saves of a padded one.</summary>
    public ResultTable FusionSavings()
    {
        double padded = 4 * tokens * width * width;
        (double own, double ownBack) = (Fusion(sparseStep, ComputePass.Forward), Fusion(sparseStep, ComputePass.Backward));
        double pdg = SamplingCount.Of(model, GuidanceKind.Pdg, new SamplingSettings(SamplerKind.Ode, 1)).StepFusion.MatrixFlops;
        return new ResultTable(
            "what the fusion without padding saves beyond the paper's count, products of one image",
            ["fusion", "padded", "here", "saved", "of the fusion"],
            [
                Row("training, forward, three of four tokens dropped", padded, own),
                Row("training, backward", 2 * padded, ownBack),
                Row("a step of sampling with PDG", 2 * padded, pdg),
            ],
            "padded: one product of N rows by 2D columns; here: N rows of the dense half, M of the sparse half and one for the mask token");

        static IReadOnlyList<string> Row(string name, double padded, double own) =>
            [name, Text.Flops(padded), Text.Flops(own), Text.Flops(padded - own), Text.Percent(1 - (own / padded))];
    }

    /// <summary>The rows as a table.</summary>
    /// <param name="title">What they are.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="unit">The unit in words.</param>
    public static ResultTable TableOf(string title, IReadOnlyList<PublishedFigure> rows, string unit) => new(
        title,
        ["figure", "counted under", $"published, {unit}", $"counted, {unit}", "difference"],
        [.. rows.Select(static row => (IReadOnlyList<string>)
            [row.Name, row.Assumption, Text.Significant(row.Published), row.Counted.ToString(row.Counted < 10 ? "F4" : "F2"), (100 * row.Difference).ToString("+0.00;-0.00;0.00") + "%"])],
        TextColumns: 2);

    private PublishedFigure[] CountInference()
    {
        SamplingSettings one = new(SamplerKind.Ode, 1);
        SamplingCount cfg = SamplingCount.Of(model, GuidanceKind.Cfg, one);
        SamplingCount pdg = SamplingCount.Of(model, GuidanceKind.Pdg, one);
        SamplingCount interval = SamplingCount.Of(model, GuidanceKind.Pdg, new SamplingSettings(SamplerKind.Sde, SamplingSteps, High: IntervalEnd));
        return
        [
            new("SiT-XL/2, CFG", 0.475, (cfg.Step.MatrixFlops - cfg.StepFusion.MatrixFlops) / Tera, "products of both passes without the fusion"),
            new("SPRINT XL/2, CFG", 0.477, cfg.Step.MatrixFlops / Tera, "products of both passes"),
            new("SPRINT XL/2, PDG", 0.274, pdg.Step.MatrixFlops / Tera, "all blocks, then 4 of 28"),
            new("SPRINT XL/2, PDG, interval", 0.263, interval.MatrixFlopsPerStep / Tera, $"guidance where t <= {IntervalEnd}, SDE of {SamplingSteps} steps"),
        ];
    }

    private PublishedFigure[] CountTraining()
    {
        // 1e6 TFLOP, forward passes alone.
        double epoch = ImageNetImages / 1e6;

        // A tenth as many steps of four times the batch see 0.4 images for each of the sparse stage.
        const double recipe = 0.4 / 1.4;
        return
        [
            new("SiT-XL, 1400 epochs", 427.7, 1400 * epoch * DenseImage, "forward of every token with the fusion's products"),
            new("SiT-XL, 400 epochs", 122.2, 400 * epoch * DenseImage, "forward of every token with the fusion's products"),
            new("SPRINT, 400 epochs", 65.1, 400 * epoch * Mixed(recipe), $"{Text.Percent(recipe)} of the images in the dense stage: a tenth of the steps at 4 x the batch"),
            new("SPRINT, 400 epochs", 65.1, 400 * epoch * Mixed(DenseShare), $"{Text.Percent(DenseShare)} of the images in the dense stage (solved for)"),
        ];
    }

    private double Mixed(double share) => (share * DenseImage) + ((1 - share) * SparseImage);

    private double SolveDenseShare() => ((65.1 / (400 * ImageNetImages / 1e6)) - SparseImage) / (DenseImage - SparseImage);

    private double ForwardProducts(StepCount count) => PlainProducts(count) + (4 * tokens * width * width);

    private static double PlainProducts(StepCount count) =>
        count.Sum(static entry => entry.Key.Pass == ComputePass.Forward && entry.Part != ModelPart.Fusion).MatrixFlops;

    private static double Fusion(StepCount count, ComputePass pass) =>
        count.Sum(entry => entry.Key.Pass == pass && entry.Part == ModelPart.Fusion).MatrixFlops;
}
