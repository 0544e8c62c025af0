using System.CommandLine;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Sampling;

namespace Sprint.Bench;

/// <summary>The options that name a model: a published size or a configuration, the image, the patch.</summary>
/// <param name="standard">The model without <c>--model</c>; null where the command has other options for one.</param>
internal sealed class ModelOptions(string? standard)
{
    /// <summary>The published sizes.</summary>
    public static readonly string[] Sizes = ["S", "B", "L", "XL"];

    /// <summary>Pixels that a latent pixel of the published models stands for, along a side.</summary>
    private const int PixelsPerLatent = 8;
    private const int FewestTokens = 1;
    private const int MostTokens = 65_536;
    private static readonly double[] CustomaryRatios = [0, 0.25, 0.5, 0.625, 0.75, 0.875];

    private readonly Option<string?> model = new("--model")
    {
        Description = $"S, B, L or XL, for latents of {PixelsPerLatent} times smaller images, or a configuration (a YAML file as for sprint train).",
        DefaultValueFactory = _ => standard,
        HelpName = "SIZE|FILE",
    };

    /// <summary>Side of the image.</summary>
    public Option<int?> ImageSize { get; } = Arguments.OptionalNumber(
        "--image-size", "Side of the image in pixels (a configuration's own unit: its context_size); 256 or the configuration's without the option.", 1, 65_536);

    /// <summary>Side of a patch.</summary>
    public Option<int?> Patch { get; } = Arguments.OptionalNumber("--patch", "Side of a patch in pixels of the latent; 2 or the configuration's without the option.", 1, 256);

    /// <summary>The drop ratios.</summary>
    public Option<double[]> Drop { get; } = Arguments.Ratios("--drop", $"Ratios of tokens that the middle blocks do not see, from 0 to {Arguments.LargestRatio}, with commas between.", CustomaryRatios);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(model);
        command.Options.Add(ImageSize);
        command.Options.Add(Patch);
        command.Options.Add(Drop);
    }

    /// <summary>The run that the options describe: one of a published size has the stages of the paper's recipe.</summary>
    /// <exception cref="SprintException">There is no such size or file, or the values do not fit each other.</exception>
    public TrainingConfiguration Read(ParseResult result) =>
        Configure(result.GetValue(model)!, result.GetValue(ImageSize), result.GetValue(Patch));

    /// <summary>Whether there is a model to read.</summary>
    public bool IsGiven(ParseResult result) => result.GetValue(model) is not null;

    /// <summary>The run that a size or file describes.</summary>
    /// <param name="name">A size or a path.</param>
    /// <param name="imageSize">Side of the image, or null.</param>
    /// <param name="patch">Side of a patch, or null.</param>
    /// <exception cref="SprintException">As for <see cref="Read"/>.</exception>
    public static TrainingConfiguration Configure(string name, int? imageSize = null, int? patch = null)
    {
        TrainingConfiguration configuration;
        if (Sizes.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            int pixels = imageSize ?? 256;
            int latent = pixels / PixelsPerLatent;
            int side = patch ?? 2;
            if (pixels % (PixelsPerLatent * side) != 0)
            {
                int unit = PixelsPerLatent * side;
                int below = pixels / unit * unit;
                throw new SprintException(
                    $"--image-size {pixels} is no multiple of {unit}, the {PixelsPerLatent} pixels of a latent pixel times --patch {side}: "
                    + (below > 0 ? $"the nearest are {below} and {below + unit}" : $"the smallest is {unit}"));
            }

            configuration = PaperRecipe(ModelConfiguration.Named(name, latent) with { PatchSize = side });
        }
        else if (File.Exists(name))
        {
            configuration = ConfigurationReader.Read<TrainingConfiguration>(name);
            ModelConfiguration read = configuration.Model;
            configuration = configuration with { Model = read with { ContextSize = imageSize ?? read.ContextSize, PatchSize = patch ?? read.PatchSize } };
        }
        else
        {
            throw new SprintException($"--model '{name}' is neither one of the sizes {string.Join(", ", Sizes)} nor a file: name a size or a configuration such as configs/fashion.yaml");
        }

        ModelConfiguration model = configuration.Model;
        model.Validate();
        return model.Tokens is >= FewestTokens and <= MostTokens
            ? configuration
            : throw new SprintException($"an image of {model.GridSide} x {model.GridSide} patches has {model.Tokens} tokens: at most {MostTokens} are counted, make --image-size smaller or --patch larger");
    }

    /// <summary>The pattern of a ratio: structured where a group of the grid gives it, else random; both keep the same number.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ratio">The drop ratio.</param>
    /// <exception cref="SprintException">The ratio keeps no token.</exception>
    public static DropPattern Pattern(ModelConfiguration model, double ratio)
    {
        int side = model.GridSide;
        try
        {
            return DropPattern.Structured(side, side, ratio);
        }
        catch (SprintException)
        {
            return DropPattern.Random(side, side, ratio);
        }
    }

    /// <summary>
    /// The two stages of the paper's recipe (SPRINT.md section 4): 400 epochs of 1,281,167 images at batch 256 with three of four tokens dropped, then a tenth as
    /// many steps at batch 1024 with every token, as in configs/imagenet256-xl.yaml.
    /// </summary>
    private static TrainingConfiguration PaperRecipe(ModelConfiguration model) => new()
    {
        Model = model,
        Samples = new SamplesConfiguration { Sampler = SamplerKind.Sde, Steps = 250 },
        Stages =
        [
            new StageConfiguration { Name = "sparse pre-training", Steps = 2_000_000, BatchSize = 256, DropRatio = 0.75 },
            new StageConfiguration { Name = "dense fine-tuning", Steps = 200_000, BatchSize = 1024 },
        ],
    };
}
