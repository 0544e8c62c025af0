using System.CommandLine;
using Sprint.Bench.Results;

namespace Sprint.Bench.Counting;

/// <summary>The command <c>published</c>: the paper's figures beside our counts.</summary>
internal static class PublishedCommand
{
    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        OutputOptions output = new(hasChart: false);
        Command command = new(
            "published",
            """
            Compares the published figures of SPRINT XL/2 with what dryrun counts; exit code 1 where a figure of inference is off by more than 0.5%.
            Examples:
              published
              published --json published.json
            """);
        output.AddTo(command);
        command.SetAction(result =>
        {
            output.Check(result);
            PublishedFigures figures = new();
            output.Write(Describe(figures), result);
            return figures.InferenceAgrees ? 0 : 1;
        });
        return command;
    }

    /// <summary>The figures as results.</summary>
    /// <param name="figures">The figures.</param>
    public static BenchResults Describe(PublishedFigures figures) => new()
    {
        Command = "published",
        Title = "Published figures beside counts",
        Subject = "arXiv 2510.21986, XL/2, images of 256x256 (latents of 32x32x4, 256 tokens)",
        Device = "dryrun",
        Measurements = [.. figures.Inference.Concat(figures.Training).Select(static row => Measurement.Count($"{row.Name}, {row.Assumption}", "TFLOP", row.Counted))],
        Tables =
        [
            PublishedFigures.TableOf("inference, a step of one image", figures.Inference, "TFLOP"),
            PublishedFigures.TableOf("training on ImageNet 256x256", figures.Training, "1e6 TFLOP"),
            figures.FusionSavings(),
        ],
        Notes =
        [
            figures.InferenceAgrees ? "every figure of inference is within 0.5%" : "a figure of inference is off by more than 0.5%",
            "training figures come out as products of forward passes alone, the backward pass not counted, with 1,281,167 images an epoch and the padded fusion",
            $"the SiT-XL rows fit {Text.Significant(1000 * figures.DenseImage)} GFLOP an image, which is SPRINT's dense pass with its fusion, rather than the {Text.Significant(1000 * figures.DensePlain)} of a plain SiT-XL",
            $"training ratio: published {PublishedFigures.PublishedRatio:F3}, counted {figures.CountedRatio:F3} by the recipe of the dense stage; the published figure comes out where the dense stage sees {Text.Percent(figures.DenseShare)} of the images, {400 * figures.DenseShare:F0} of 400 epochs",
        ],
    };
}
