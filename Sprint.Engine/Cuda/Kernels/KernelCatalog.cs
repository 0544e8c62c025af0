namespace Sprint.Engine.Cuda;

/// <summary>The specialisations that the engine uses by default: what `sprint kernels build` compiles and what is kept as prebuilt PTX.</summary>
public static class KernelCatalog
{
    /// <summary>The macro value for tensors stored as float32.</summary>
    public const string FloatElement = "float";

    /// <summary>The macro value for tensors stored as bfloat16.</summary>
    public const string BFloat16Element = "bfloat16";

    private static readonly string[] Elements = [FloatElement, BFloat16Element];

    /// <summary>Random numbers: kernels/random.cu.</summary>
    public static KernelSpecialization Random { get; } = new("random.cu", ["random_uniform", "random_normal"], []);

    /// <summary>All of them, ordered by source.</summary>
    public static IReadOnlyList<KernelSpecialization> All { get; } =
    [
        .. Elements.Select(AdaptiveLayerNorm),
        .. Elements.Select(Linear),
        .. Elements.SelectMany(static element => new[] { 64, 128 }.Select(tile => MatrixProduct(element, tile))),
        Random,
        .. Elements.Select(ResidualFusion),
        .. Elements.Select(TokenDrop),
    ];

    /// <summary>Layer norm and modulation: kernels/adaptive_layer_norm.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization AdaptiveLayerNorm(string element) => new(
        "adaptive_layer_norm.cu",
        ["adaptive_layer_norm_forward", "adaptive_layer_norm_backward", "adaptive_layer_norm_backward_modulation"],
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

    /// <summary>What residual fusion needs beside matrix products: kernels/residual_fusion.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization ResidualFusion(string element) => new(
        "residual_fusion.cu",
        [
            "fusion_constant_forward", "fusion_gather_backward", "fusion_gather_backward_reduce", "fusion_constant_backward", "fusion_mask_backward",
        ],
        [new CudaMacro("ELEMENT", element)]);

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
}
