using System.Globalization;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Model.Configuration;

/// <summary>
/// The architecture of a <see cref="Network.SprintTransformer"/>. Keys are those of the reference's <c>network_config</c>,
/// in snake_case in YAML. The defaults are a small model for 16x16 images of one channel.
/// </summary>
public sealed record ModelConfiguration
{
    /// <summary>Side of the square input, in pixels or latent pixels.</summary>
    public int ContextSize { get; init; } = 16;

    /// <summary>Side of a patch; divides <see cref="ContextSize"/>.</summary>
    public int PatchSize { get; init; } = 2;

    /// <summary>Channels of the input: 1 or 3 for pixels, 4 for the usual latents.</summary>
    public int InChannels { get; init; } = 1;

    /// <summary>Number of classes, without the null class.</summary>
    public int NumClasses { get; init; } = 10;

    /// <summary>Width D of a token.</summary>
    public int HiddenSize { get; init; } = 128;

    /// <summary>Number of attention heads; divides <see cref="HiddenSize"/> into heads of a multiple of 4 channels.</summary>
    public int NumHeads { get; init; } = 4;

    /// <summary>Width of the MLP's hidden layer over <see cref="HiddenSize"/>.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>Dense blocks before the drop.</summary>
    public int EncoderDepth { get; init; } = 1;

    /// <summary>Blocks that see the kept tokens only.</summary>
    public int MiddleDepth { get; init; } = 4;

    /// <summary>Dense blocks after the fusion.</summary>
    public int DecoderDepth { get; init; } = 1;

    /// <summary><c>RMSNorm</c>, or null for none: the norm of q.</summary>
    public string? QNorm { get; init; } = RmsNorm;

    /// <summary><c>RMSNorm</c>, or null for none: the norm of k.</summary>
    public string? KNorm { get; init; } = RmsNorm;

    /// <summary>Base of the rotary embedding's frequencies.</summary>
    public double RopeTheta { get; init; } = 10000;

    /// <summary>Probability that training replaces a label by the null class.</summary>
    public double ClassDropoutProb { get; init; } = 0.1;

    /// <summary>Probability that training drops a sample's whole sparse path: what path-drop guidance needs.</summary>
    public double CfgMaskProb { get; init; } = 0.1;

    /// <summary>Whether the mask token is learned; in the reference it is frozen.</summary>
    public bool TrainMaskToken { get; init; }

    /// <summary>Whether blocks keep only their inputs for the backward pass and are run again there.</summary>
    public bool UseCheckpoint { get; init; }

    /// <summary>Whether the MLP is SwiGLU, with half as many weights again in a hidden layer of the same width, instead of two linear layers around GELU.</summary>
    public bool UseSwiglu { get; init; }

    /// <summary>Whether SwiGLU's hidden layer has the whole width of <see cref="MlpRatio"/>, or two thirds of it: as many weights as around GELU. Without effect unless <see cref="UseSwiglu"/>.</summary>
    public bool UseSwigluLarge { get; init; } = true;

    /// <summary>How a block's shift, scale and gate are made: <c>normal</c> by one linear layer, <c>lora</c> by two of low rank, plus what one layer makes for all blocks.</summary>
    public string AdalnType { get; init; } = "normal";

    /// <summary>The rank of the modulation's layers; needed for <see cref="AdalnType"/> <c>lora</c>, else null.</summary>
    public int? AdalnLoraDim { get; init; }

    /// <summary>
    /// Whether training aligns hidden states with features of another network (REPA): a projector reads the tokens behind a middle block, and the objective
    /// has the cosine between what it gives and the features.
    /// </summary>
    public bool RepresentationAlign { get; init; }

    /// <summary>
    /// Where the projector reads, as the reference counts: behind block <c>representation_depth - 1</c> of encoder and middle blocks, counted from 1, which must
    /// be a middle block. Without effect, as the next two, unless <see cref="RepresentationAlign"/>.
    /// </summary>
    public int RepresentationDepth { get; init; } = 8;

    /// <summary>Width of the features: F.</summary>
    public int DimProjection { get; init; } = 768;

    /// <summary>Width of the projector's hidden layers.</summary>
    public int ProjectorHiddenDim { get; init; } = 2048;

    /// <summary>Whether dropped tokens are restored as mask tokens; only true is built.</summary>
    public bool UseMaskRestore { get; init; } = true;

    /// <summary>How the paths are joined; only <c>concat_linear</c> is built.</summary>
    public string ResidualType { get; init; } = "concat_linear";

    internal const string RmsNorm = "RMSNorm";
    private const string LoraType = "lora";

    /// <summary>Channels of a head.</summary>
    public int HeadSize => HiddenSize / NumHeads;

    /// <summary>Tokens along a side of the grid.</summary>
    public int GridSide => ContextSize / PatchSize;

    /// <summary>Tokens of a sample: N.</summary>
    public int Tokens => GridSide * GridSide;

    /// <summary>Numbers in a patch.</summary>
    public int PatchFeatures => InChannels * PatchSize * PatchSize;

    /// <summary>The middle block, from 0, behind which the projector reads.</summary>
    public int ProjectedBlock => RepresentationDepth - EncoderDepth - 2;

    /// <summary>Width of the MLP's hidden layer.</summary>
    public int MlpWidth => UseSwiglu && !UseSwigluLarge ? (int)(HiddenSize * MlpRatio) * 2 / 3 : (int)(HiddenSize * MlpRatio);

    /// <summary>The rank of the modulation's layers; null where there is one layer of full rank.</summary>
    public int? AdalnLoraRank => AdalnType == LoraType ? AdalnLoraDim : null;

    /// <summary>The label that stands for no class; a row of the label table where <see cref="HasNullClass"/>.</summary>
    public int NullClass => NumClasses;

    /// <summary>Whether the label table has a row for no class: only where training ever drops a label.</summary>
    public bool HasNullClass => ClassDropoutProb > 0;

    /// <summary>The published sizes, for latents of 4 channels with patch 2 and 1000 classes.</summary>
    /// <param name="size"><c>S</c>, <c>B</c>, <c>L</c> or <c>XL</c>.</param>
    /// <param name="contextSize">Side of the latent: 32 for images of 256x256.</param>
    /// <exception cref="SprintException">There is no such size.</exception>
    public static ModelConfiguration Named(string size, int contextSize = 32)
    {
        ArgumentNullException.ThrowIfNull(size);
        (int width, int heads, int middle) = size.ToUpperInvariant() switch
        {
            "S" => (384, 6, 8),
            "B" => (768, 12, 8),
            "L" => (1024, 16, 20),
            "XL" => (1152, 16, 24),
            _ => throw new SprintException($"model size '{size}' is not known: choose S, B, L or XL"),
        };
        return new ModelConfiguration
        {
            ContextSize = contextSize,
            InChannels = 4,
            NumClasses = 1000,
            HiddenSize = width,
            NumHeads = heads,
            EncoderDepth = 2,
            MiddleDepth = middle,
            DecoderDepth = 2,
        };
    }

    /// <summary>Checks that the values describe a model that can be built.</summary>
    /// <exception cref="SprintException">One does not; the sentence names it.</exception>
    public void Validate()
    {
        Between(ContextSize, 1, 8192, "context_size");
        Between(PatchSize, 1, 8192, "patch_size");
        Between(InChannels, 1, 1024, "in_channels");
        Between(NumClasses, 1, 1_000_000, "num_classes");
        Between(HiddenSize, 1, 65_536, "hidden_size");
        Between(NumHeads, 1, 65_536, "num_heads");
        Between(EncoderDepth, 0, 1000, "encoder_depth");
        Between(MiddleDepth, 0, 1000, "middle_depth");
        Between(DecoderDepth, 0, 1000, "decoder_depth");
        Probability(ClassDropoutProb, "class_dropout_prob");
        Probability(CfgMaskProb, "cfg_mask_prob");
        Require(ContextSize % PatchSize == 0, $"patch_size {PatchSize} does not divide context_size {ContextSize}: choose a divisor of {ContextSize}");
        Require(HiddenSize % NumHeads == 0, $"num_heads {NumHeads} does not divide hidden_size {HiddenSize}: choose a divisor of {HiddenSize}");
        Require(
            HeadSize % 4 == 0,
            $"hidden_size {HiddenSize} over num_heads {NumHeads} gives heads of {HeadSize} channels: 2-D rotary embedding needs a multiple of 4");
        Require(
            HeadSize <= Attention.MaximumHeadSize,
            $"hidden_size {HiddenSize} over num_heads {NumHeads} gives heads of {HeadSize} channels: attention takes at most {Attention.MaximumHeadSize}, raise num_heads");
        Require(MlpRatio is > 0 and <= 64 && HiddenSize * MlpRatio >= 1, $"mlp_ratio {Text(MlpRatio)} must be above 0 and at most 64");
        Require(
            MlpWidth >= 1, $"mlp_ratio {Text(MlpRatio)} leaves SwiGLU with use_swiglu_large: false no hidden layer: raise mlp_ratio or set use_swiglu_large: true");
        Require(RopeTheta is > 1 and < 1e30, $"rope_theta {Text(RopeTheta)} must be above 1 and below 1e30");
        Fits(NumClasses + (HasNullClass ? 1L : 0), HiddenSize, "num_classes", NumClasses);
        Fits(6L * HiddenSize, HiddenSize, "hidden_size", HiddenSize);
        Fits((long)(HiddenSize * MlpRatio), HiddenSize, "mlp_ratio", MlpRatio);
        Fits(InChannels * (long)PatchSize * PatchSize, HiddenSize, "patch_size", PatchSize);
        Fits(GridSide * (long)GridSide, HeadSize, "context_size", ContextSize);
        Norm(QNorm, "q_norm");
        Norm(KNorm, "k_norm");
        Modulation();
        if (RepresentationAlign)
        {
            Alignment();
        }

        Unbuilt(!UseMaskRestore, "use_mask_restore: false", "true");
        Unbuilt(ResidualType != "concat_linear", $"residual_type: {ResidualType}", "concat_linear");
    }

    /// <summary>Checks that a device has kernels for the model's heads, before anything is begun on it.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="SprintException">Its kernels take smaller heads only.</exception>
    public void RequireOn(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        int most = device.HasKernels<IAttentionKernels>() ? device.Kernels<IAttentionKernels>().MaximumHeadSize : Attention.MaximumHeadSize;
        Require(
            HeadSize <= most,
            $"hidden_size {HiddenSize} over num_heads {NumHeads} gives heads of {HeadSize} channels: attention on device {device.Name} takes at most {most}, raise num_heads or choose device cpu");
    }

    private void Alignment()
    {
        Between(DimProjection, 1, 65_536, "dim_projection");
        Between(ProjectorHiddenDim, 1, 65_536, "projector_hidden_dim");
        Fits(ProjectorHiddenDim, Math.Max(HiddenSize, Math.Max(ProjectorHiddenDim, DimProjection)), "projector_hidden_dim", ProjectorHiddenDim);
        Require(MiddleDepth > 0, "representation_align: true reads behind a middle block, but middle_depth is 0: give the model middle blocks");
        Require(
            ProjectedBlock >= 0 && ProjectedBlock < MiddleDepth,
            $"representation_depth {RepresentationDepth} is behind none of the {MiddleDepth} middle blocks: with encoder_depth {EncoderDepth} it must be from {EncoderDepth + 2} to {EncoderDepth + MiddleDepth + 1}");
    }

    private static void Require(bool condition, string complaint)
    {
        if (!condition)
        {
            throw new SprintException("model: " + complaint);
        }
    }

    private static void Between(int value, int least, int most, string key) =>
        Require(value >= least && value <= most, $"{key} {value} must be from {least} to {most}");

    private void Modulation()
    {
        Unbuilt(AdalnType == "swiglu", "adaln_type: swiglu", "normal or lora");
        Require(AdalnType is "normal" or LoraType, $"adaln_type '{AdalnType}' is not known: choose normal or lora");
        if (AdalnType != LoraType)
        {
            Require(AdalnLoraDim is null, $"adaln_lora_dim {AdalnLoraDim} is the rank of adaln_type: lora, but adaln_type is {AdalnType}: choose lora, or null here");
            return;
        }

        Require(AdalnLoraDim is not null, "adaln_type: lora needs adaln_lora_dim, the rank of its layers: set it, e.g. to a quarter of hidden_size");
        Between(AdalnLoraDim!.Value, 1, 65_536, "adaln_lora_dim");
        Fits(6L * HiddenSize, AdalnLoraDim.Value, "adaln_lora_dim", AdalnLoraDim.Value);
    }

    /// <summary>Every table is one array on the host, when it is drawn, saved or loaded.</summary>
    private static void Fits(long rows, int columns, string key, double value) => Require(
        rows <= Array.MaxLength / columns,
        $"{key} {Text(value)} gives a table of {rows} x {columns} numbers, more than the {Array.MaxLength} that one array holds: lower {(key == "hidden_size" ? key : key + " or hidden_size")}");

    private static void Probability(double value, string key) => Require(value is >= 0 and <= 1, $"{key} {Text(value)} must be from 0 to 1");

    private static void Norm(string? value, string key) => Require(
        value is null || value.Equals(RmsNorm, StringComparison.OrdinalIgnoreCase), $"{key} '{value}' is not known: choose RMSNorm or null");

    private static void Unbuilt(bool asked, string what, string instead) => Require(!asked, $"{what} is not built: use {instead}");

    private static string Text(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
