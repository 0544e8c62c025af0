using Sprint.Model.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Sprint.Bench.Peers.Torch;

/// <summary>
/// The same transformer in libtorch's operations, from tokens to tokens: adaLN-Zero blocks, RMS norm and rotation of q and k, the sparse path padded and concatenated as the
/// reference does it; also with SwiGLU and modulation of low rank. Source: SPRINT.md section 2.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="weights">The weights by their names.</param>
/// <param name="cosines">(tokens, head / 2): the rotary table.</param>
/// <param name="sines">(tokens, head / 2).</param>
internal sealed class TorchModel(ModelConfiguration model, IReadOnlyDictionary<string, Parameter> weights, Tensor cosines, Tensor sines)
{
    private const int TimeFeatures = 256;
    private const double Epsilon = 1e-6;
    private readonly long[] channels = [model.HiddenSize];
    private readonly Tensor cos = cosines.repeat_interleave(2, 1);
    private readonly Tensor sin = sines.repeat_interleave(2, 1);
    private Tensor? shared;

    /// <summary>Predicts the velocity of tokens.</summary>
    /// <param name="tokens">(batch, N, patch features).</param>
    /// <param name="times">(batch).</param>
    /// <param name="labels">(batch), 64-bit.</param>
    /// <param name="ids">(batch, M), 64-bit: kept tokens; null for all.</param>
    public Tensor Forward(Tensor tokens, Tensor times, Tensor labels, Tensor? ids)
    {
        (long batch, long count) = (tokens.shape[0], tokens.shape[1]);
        Tensor condition = functional.silu(Condition(times, labels));
        shared = model.AdalnLoraRank is null ? null : Linear(condition, "global_adaLN_modulation.1");
        Tensor x = Linear(tokens, "x_embedder.proj");
        Tensor dense = Blocks(x, condition, "encoder_blocks", model.EncoderDepth, cos, sin);
        Tensor sparse;
        if (ids is null)
        {
            sparse = Blocks(dense, condition, "middle_blocks", model.MiddleDepth, cos, sin);
        }
        else
        {
            Tensor rows = ids.unsqueeze(-1).expand(-1, -1, model.HiddenSize);
            Tensor kept = Blocks(dense.gather(1, rows), condition, "middle_blocks", model.MiddleDepth, cos[ids].unsqueeze(1), sin[ids].unsqueeze(1));
            sparse = weights["mask_token"].expand(batch, count, model.HiddenSize).scatter(1, rows, kept);
        }

        Tensor fused = Linear(cat([sparse, dense], -1), "renoise_linear");
        Tensor decoded = Blocks(fused, condition, "decoder_blocks", model.DecoderDepth, cos, sin);
        Tensor[] modulation = Linear(condition, "final_layer.adaLN_modulation.1").unsqueeze(1).chunk(2, 2);
        return Linear(Modulate(decoded, modulation[0], modulation[1]), "final_layer.linear");
    }

    private static Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
    {
        Tensor pairs = x.view([.. x.shape[..^1], x.shape[^1] / 2, 2]);
        Tensor turned = stack([-pairs.select(-1, 1), pairs.select(-1, 0)], -1).view(x.shape);
        return (x * cos) + (turned * sin);
    }

    private Tensor Condition(Tensor times, Tensor labels)
    {
        const int half = TimeFeatures / 2;
        Tensor angles = times.unsqueeze(1) * exp(arange(half, ScalarType.Float32) * (-Math.Log(10000) / half)).unsqueeze(0);
        Tensor time = Linear(functional.silu(Linear(cat([angles.cos(), angles.sin()], -1), "t_embedder.mlp.0")), "t_embedder.mlp.2");
        return time + weights["y_embedder.embedding_table.weight"].index_select(0, labels);
    }

    private Tensor Blocks(Tensor x, Tensor condition, string name, int depth, Tensor rowCos, Tensor rowSin)
    {
        for (int i = 0; i < depth; i++)
            x = Block(x, condition, $"{name}.{i}", rowCos, rowSin);
        return x;
    }

    private Tensor Block(Tensor x, Tensor condition, string name, Tensor rowCos, Tensor rowSin)
    {
        Tensor modulation = Linear(condition, $"{name}.adaLN_modulation.1");
        Tensor[] m = (shared is null ? modulation : Linear(modulation, $"{name}.adaLN_modulation.2") + shared).unsqueeze(1).chunk(6, 2);
        Tensor attended = Attention(Modulate(x, m[0], m[1]), name, rowCos, rowSin);
        x += m[2] * Linear(attended, $"{name}.attn.proj");
        Tensor normalised = Modulate(x, m[3], m[4]);
        Tensor hidden = model.UseSwiglu
            ? functional.silu(Linear(normalised, $"{name}.mlp.fc1_g")) * Linear(normalised, $"{name}.mlp.fc1_x")
            : functional.gelu(Linear(normalised, $"{name}.mlp.fc1"), TorchSharp.Modules.GELU.Approximate.tanh);
        return x + (m[5] * Linear(hidden, $"{name}.mlp.fc2"));
    }

    private Tensor Attention(Tensor x, string name, Tensor rowCos, Tensor rowSin)
    {
        (long batch, long count) = (x.shape[0], x.shape[1]);
        Tensor qkv = Linear(x, $"{name}.attn.qkv").view(batch, count, 3, model.NumHeads, model.HeadSize).permute(2, 0, 3, 1, 4);
        Tensor q = Rotate(RmsNorm(qkv[0], $"{name}.attn.q_norm.weight"), rowCos, rowSin);
        Tensor k = Rotate(RmsNorm(qkv[1], $"{name}.attn.k_norm.weight"), rowCos, rowSin);
        return functional.scaled_dot_product_attention(q, k, qkv[2]).transpose(1, 2).reshape(batch, count, model.HiddenSize);
    }

    private Tensor RmsNorm(Tensor x, string name) =>
        weights.TryGetValue(name, out Parameter? weight) ? x * rsqrt(x.pow(2).mean([-1], true) + Epsilon) * weight : x;

    private Tensor Modulate(Tensor x, Tensor shift, Tensor scale) => (functional.layer_norm(x, channels, eps: Epsilon) * (1 + scale)) + shift;

    private Tensor Linear(Tensor x, string name) => functional.linear(x, weights[$"{name}.weight"], weights[$"{name}.bias"]);
}
