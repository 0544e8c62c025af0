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
        [.. Elements.Select(AdaptiveLayerNorm), Random, .. Elements.Select(TokenDrop)];

    /// <summary>Layer norm and modulation: kernels/adaptive_layer_norm.cu.</summary>
    /// <param name="element">How tensors are stored: <see cref="FloatElement"/> or <see cref="BFloat16Element"/>.</param>
    public static KernelSpecialization AdaptiveLayerNorm(string element) => new(
        "adaptive_layer_norm.cu",
        ["adaptive_layer_norm_forward", "adaptive_layer_norm_backward", "adaptive_layer_norm_backward_modulation"],
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
