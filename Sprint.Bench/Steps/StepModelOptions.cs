using System.CommandLine;
using Sprint.Engine;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Steps;

/// <summary>The model of <c>step</c>: one by name, or one of given sizes.</summary>
internal sealed class StepModelOptions
{
    private readonly ModelOptions named = new(standard: null);
    private readonly Option<int?> hidden = Arguments.OptionalNumber("--hidden", "Width of a token; 128 without the option and --model.", 4, 1 << 16);
    private readonly Option<int?> heads = Arguments.OptionalNumber("--heads", "Attention heads; 4.", 1, 1 << 12);
    private readonly Option<int?> side = Arguments.OptionalNumber("--side", "Tokens along a side of the grid; 8.", 1, 1024);
    private readonly Option<int?> enc = Arguments.OptionalNumber("--enc", "Encoder blocks; 1.", 0, 1024);
    private readonly Option<int?> mid = Arguments.OptionalNumber("--mid", "Middle blocks; 4.", 0, 1024);
    private readonly Option<int?> dec = Arguments.OptionalNumber("--dec", "Decoder blocks; 1.", 0, 1024);
    private readonly Option<int?> channels = Arguments.OptionalNumber("--channels", "Channels of an image; 1.", 1, 1 << 12);

    /// <summary>The drop ratios.</summary>
    public Option<double[]> Drop => named.Drop;

    private Option<int?>[] Sizes => [hidden, heads, side, enc, mid, dec, channels];

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        named.AddTo(command);
        foreach (Option<int?> option in Sizes)
            command.Options.Add(option);
    }

    /// <summary>The model.</summary>
    /// <exception cref="SprintException">There is no such model, or sizes are given beside --model.</exception>
    public ModelConfiguration Read(ParseResult result)
    {
        if (named.IsGiven(result))
        {
            return Sizes.FirstOrDefault(option => result.GetValue(option) is not null) is { } size
                ? throw new SprintException($"{size.Name} is given beside --model, which has one: leave out {size.Name}, or --model to give sizes")
                : named.Read(result).Model;
        }

        int patch = result.GetValue(named.Patch) ?? 4;
        return new ModelConfiguration
        {
            ContextSize = result.GetValue(named.ImageSize) ?? ((result.GetValue(side) ?? 8) * patch),
            PatchSize = patch,
            InChannels = result.GetValue(channels) ?? 1,
            HiddenSize = result.GetValue(hidden) ?? 128,
            NumHeads = result.GetValue(heads) ?? 4,
            EncoderDepth = result.GetValue(enc) ?? 1,
            MiddleDepth = result.GetValue(mid) ?? 4,
            DecoderDepth = result.GetValue(dec) ?? 1,
        };
    }
}
