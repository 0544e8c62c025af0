using System.Globalization;
using Sprint.Engine.Operations;

namespace Sprint.Engine.Cuda;

/// <summary>The specialisations that the engine uses by default: what `sprint kernels build` compiles, and of these what is kept as prebuilt PTX.</summary>
public static class KernelCatalog
{
    /// <summary>The macro value for tensors stored as float32.</summary>
    public const string FloatElement = "float";

    /// <summary>The macro value for tensors stored as bfloat16.</summary>
    public const string BFloat16Element = "bfloat16";

    private static readonly string[] Elements = [FloatElement, BFloat16Element];

    /// <summary>Random numbers: kernels/random.cu.</summary>
    public static KernelSpecialization Random { get; } = new("random.cu", ["random_uniform", "random_normal"], []);

    /// <summary>The optimizer, over all parameters at once: kernels/adamw.cu.</summary>
    public static KernelSpecialization AdamW { get; } =
        new("adamw.cu", ["adamw_gradient_norm", "adamw_gradient_norm_reduce", "adamw_update"], []);

    /// <summary>
    /// Those kept as prebuilt PTX, ordered by source: what small models on the emulated device need. Attention comes for heads of 16 and 32 channels and at
    /// most 64 tokens.
    /// </summary>
    public static IReadOnlyList<KernelSpecialization> Prebuilt { get; } =
    [
        AdamW,
        .. Elements.Select(AdaptiveLayerNorm),
        .. Elements.SelectMany(static element => new[] { AttentionBackward(element, 16), AttentionBackward(element, 32) }),
        .. Elements.SelectMany(static element => new[] { AttentionForward(element, 16, 64), AttentionForward(element, 32, 64) }),
        .. Elements.Select(CosineLoss),
        .. Elements.Select(Elementwise),
        .. Elements.Select(Embedding),
        .. Elements.Select(FlowMatching),
        .. Elements.Select(GatedResidual),
        .. Elements.Select(Linear),
        .. Elements.SelectMany(static element => new[] { 64, 128 }.Select(tile => MatrixProduct(element, tile))),
        .. Elements.Select(Patchify),
        Random,
        .. Elements.Select(ResidualFusion),
        .. Elements.Select(SwiGlu),
        .. Elements.Select(TokenDrop),
    ];

    /// <summary>All: the prebuilt ones, and attention for the heads that it is tuned for.</summary>
    public static IReadOnlyList<KernelSpecialization> All { get; } =
    [
        .. Prebuilt,
        .. new[] { 64, 72 }.SelectMany(static headSize => new[]
        {
            AttentionForward(BFloat16Element, headSize, 64), AttentionForward(BFloat16Element, headSize, 128), AttentionBackward(BFloat16Element, headSize),
        }),
    ];

    /// <summary>Layer norm and modulation: kernels/adaptive_layer_norm.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization AdaptiveLayerNorm(string element) => new(
        "adaptive_layer_norm.cu",
        ["adaptive_layer_norm_forward", "adaptive_layer_norm_backward", "adaptive_layer_norm_backward_modulation"],
        [new CudaMacro("ELEMENT", element)]);

    /// <summary>Fused attention, forward: kernels/attention_forward.cu on tensor cores, kernels/attention_forward_float.cu in float32.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    /// <param name="headSize">Channels of a head: a multiple of 4 up to 128.</param>
    /// <param name="queryTile">Queries of a block: 64 or 128 in bfloat16.</param>
    public static KernelSpecialization AttentionForward(string element, int headSize, int queryTile) => element == FloatElement
        ? new("attention_forward_float.cu", ["attention_forward"], [HeadSize(headSize)])
        : new("attention_forward.cu", ["attention_forward"], [HeadSize(headSize), new CudaMacro("QUERY_TILE", $"{queryTile}")]);

    /// <summary>Fused attention, backward: kernels/attention_backward.cu on tensor cores, kernels/attention_backward_float.cu in float32.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    /// <param name="headSize">Channels of a head: a multiple of 4 up to 128.</param>
    public static KernelSpecialization AttentionBackward(string element, int headSize) => new(
        element == FloatElement ? "attention_backward_float.cu" : "attention_backward.cu",
        ["attention_backward_prepare", "attention_backward_dkv", "attention_backward_dq", "attention_backward_weights"],
        [HeadSize(headSize)]);

    /// <summary>What aligns hidden states with features of another network: kernels/cosine_loss.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization CosineLoss(string element) =>
        new("cosine_loss.cu", ["cosine_loss_forward", "cosine_loss_reduce", "cosine_loss_backward"], [new CudaMacro("ELEMENT", element)]);

    /// <summary>Addition, narrowing and its way back, and SiLU: kernels/elementwise.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization Elementwise(string element) =>
        new("elementwise.cu", ["elements_add", "elements_narrow", "elements_widen", "silu_forward", "silu_backward"], [new CudaMacro("ELEMENT", element)]);

    /// <summary>Timestep and label embedding: kernels/embedding.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization Embedding(string element) => new(
        "embedding.cu", ["timestep_embedding_forward", "label_embedding_forward", "label_embedding_backward"], [new CudaMacro("ELEMENT", element)]);

    /// <summary>The training objective: kernels/flow_matching.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization FlowMatching(string element) => new(
        "flow_matching.cu",
        ["flow_matching_interpolate", "flow_matching_loss", "flow_matching_loss_reduce", "flow_matching_loss_backward"],
        [new CudaMacro("ELEMENT", element)]);

    /// <summary>The gated residual: kernels/gated_residual.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization GatedResidual(string element) => new(
        "gated_residual.cu",
        ["gated_residual_forward", "gated_residual_backward", "gated_residual_backward_modulation"],
        [new CudaMacro("ELEMENT", element)]);

    /// <summary>What a linear layer needs beside matrix products: kernels/linear.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization Linear(string element) => new(
        "linear.cu",
        ["linear_backward_activation", "linear_backward_bias", "linear_backward_bias_reduce"],
        [new CudaMacro("ELEMENT", element)]);

    /// <summary>Matrix products with epilogues: kernels/matrix_product.cu.</summary>
    /// <param name="element">How the operands are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    /// <param name="tile">Rows and columns that a block computes: 64 or 128.</param>
    public static KernelSpecialization MatrixProduct(string element, int tile) => new(
        "matrix_product.cu",
        ["matrix_product_forward", "matrix_product_backward_input", "matrix_product_backward_weight", "matrix_product_reduce"],
        [new CudaMacro("ELEMENT", element), new CudaMacro("TILE", $"{tile}")]);

    /// <summary>Images to tokens and back: kernels/patchify.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization Patchify(string element) =>
        new("patchify.cu", ["patches_from_image", "image_from_patches"], [new CudaMacro("ELEMENT", element)]);

    /// <summary>What residual fusion needs beside matrix products: kernels/residual_fusion.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization ResidualFusion(string element) => new(
        "residual_fusion.cu",
        [
            "fusion_constant_forward", "fusion_gather_backward", "fusion_gather_backward_reduce", "fusion_constant_backward", "fusion_mask_backward",
        ],
        [new CudaMacro("ELEMENT", element)]);

    /// <summary>What a SwiGLU MLP needs beside matrix products: kernels/swiglu.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization SwiGlu(string element) => new("swiglu.cu", ["swiglu_backward"], [new CudaMacro("ELEMENT", element)]);

    /// <summary>Choosing, gathering and scattering tokens: kernels/token_drop.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization TokenDrop(string element) => new(
        "token_drop.cu",
        [
            "tokens_select_structured", "tokens_sample_structured", "tokens_select_random", "tokens_locate",
            "tokens_gather_forward", "tokens_gather_backward", "tokens_scatter_forward",
            "tokens_scatter_backward_input", "tokens_scatter_backward_fill", "tokens_scatter_backward_fill_reduce",
        ],
        [new CudaMacro("ELEMENT", element)]);

    /// <summary>Bytes of dynamic shared memory a block that the engine launches a kernel with.</summary>
    /// <param name="specialization">One of <see cref="All"/>, or another of their sources.</param>
    /// <param name="entryPoint">The kernel's name.</param>
    public static int DynamicSharedBytes(KernelSpecialization specialization, string entryPoint)
    {
        ArgumentNullException.ThrowIfNull(specialization);
        return entryPoint switch
        {
            "matrix_product_forward" or "matrix_product_backward_input" or "matrix_product_backward_weight" => new MatrixProductPlan
            {
                Element = Macro("ELEMENT") == FloatElement ? ElementType.Float32 : ElementType.BFloat16,
                Tile = Number("TILE"),
            }.SharedBytes,
            "attention_forward" => Attention().ForwardSharedBytes,
            "attention_backward_dkv" or "attention_backward_dq" => Attention().BackwardSharedBytes,
            _ => 0,
        };

        AttentionTiles Attention() => new()
        {
            Element = specialization.Source.EndsWith("_float.cu", StringComparison.Ordinal) ? FloatElement : BFloat16Element,
            HeadSize = Number("HEAD_SIZE"),
        };

        string Macro(string name) => specialization.Macros.First(macro => macro.Name == name).Value;

        int Number(string name) => int.Parse(Macro(name), CultureInfo.InvariantCulture);
    }

    private static CudaMacro HeadSize(int headSize) => new("HEAD_SIZE", $"{headSize}");
}
