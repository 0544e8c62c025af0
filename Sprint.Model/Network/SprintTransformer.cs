using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Model.Network;

/// <summary>
/// The diffusion transformer with SPRINT's split: a dense encoder, sparse middle blocks over the kept tokens, residual fusion,
/// a dense decoder. It predicts the velocity of flow matching. Parameters bear the reference's names.
/// Source: SPRINT.md sections 1 to 3.
/// </summary>
public sealed class SprintTransformer : IDisposable
{
    private const int TimestepFeatures = 256;
    private const float EmbeddingDeviation = 0.02f;
    private const string SharedModulationPart = $"{ModelPart.Embedding}/{ModelPart.Modulation}";
    private readonly Device device;
    private readonly ElementType activations;
    private readonly RopeTable rope;
    private readonly Tensor maskToken;
    private readonly Tensor patchWeight;
    private readonly Tensor patchBias;
    private readonly Tensor timeWeight1;
    private readonly Tensor timeBias1;
    private readonly Tensor timeWeight2;
    private readonly Tensor timeBias2;
    private readonly Tensor labelTable;
    private readonly LinearWeights sharedModulation;
    private readonly TransformerBlock[] encoder;
    private readonly TransformerBlock[] middle;
    private readonly TransformerBlock[] decoder;
    private readonly Tensor fusionWeight;
    private readonly Tensor fusionBias;
    private readonly Tensor finalWeight;
    private readonly Tensor finalBias;
    private readonly Tensor finalModulationWeight;
    private readonly Tensor finalModulationBias;
    private readonly Projector? projector;

    /// <summary>Builds a model with fresh parameters.</summary>
    /// <param name="device">Where it lives.</param>
    /// <param name="configuration">Its architecture.</param>
    /// <param name="seed">Determines the initial parameters.</param>
    /// <param name="precision">In what it computes.</param>
    /// <exception cref="SprintException">The configuration describes no model that can be built, or the device does not compute in that precision.</exception>
    public SprintTransformer(Device device, ModelConfiguration configuration, ulong seed = 0, Precision precision = Precision.Fp32)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(configuration);
        configuration.Validate();
        configuration.RequireOn(device);
        precision.RequireOn(device);
        this.device = device;
        Precision = precision;
        activations = precision.ElementType();
        Configuration = configuration;
        int width = configuration.HiddenSize;
        Parameters = new ParameterSet(device, seed, activations);
        rope = new RopeTable(device, configuration.GridSide, configuration.GridSide, configuration.HeadSize, configuration.RopeTheta);
        try
        {
            maskToken = Parameters.Normal("mask_token", new Shape(1, 1, width), EmbeddingDeviation, configuration.TrainMaskToken);
            patchWeight = Parameters.Linear("x_embedder.proj.weight", width, configuration.PatchFeatures);
            patchBias = Parameters.Zeros("x_embedder.proj.bias", width);
            timeWeight1 = Parameters.WideNormal("t_embedder.mlp.0.weight", new Shape(width, TimestepFeatures), EmbeddingDeviation);
            timeBias1 = Parameters.WideZeros("t_embedder.mlp.0.bias", width);
            timeWeight2 = Parameters.WideNormal("t_embedder.mlp.2.weight", new Shape(width, width), EmbeddingDeviation);
            timeBias2 = Parameters.WideZeros("t_embedder.mlp.2.bias", width);
            labelTable = Parameters.WideNormal(
                "y_embedder.embedding_table.weight", new Shape(configuration.NumClasses + (configuration.HasNullClass ? 1 : 0), width), EmbeddingDeviation);
            if (configuration.AdalnLoraRank is not null)
            {
                int length = BlockModulation.Chunks * width;
                sharedModulation = new(
                    Parameters.Zeros("global_adaLN_modulation.1.weight", length, width), Parameters.Zeros("global_adaLN_modulation.1.bias", length));
            }

            encoder = Blocks("encoder_blocks", ModelPart.Encoder, configuration.EncoderDepth);
            middle = Blocks("middle_blocks", ModelPart.Middle, configuration.MiddleDepth);
            decoder = Blocks("decoder_blocks", ModelPart.Decoder, configuration.DecoderDepth);
            fusionWeight = Parameters.Linear("renoise_linear.weight", width, 2 * width);
            fusionBias = Parameters.Zeros("renoise_linear.bias", width);
            finalWeight = Parameters.Zeros("final_layer.linear.weight", configuration.PatchFeatures, width);
            finalBias = Parameters.Zeros("final_layer.linear.bias", configuration.PatchFeatures);
            finalModulationWeight = Parameters.Zeros("final_layer.adaLN_modulation.1.weight", 2 * width, width);
            finalModulationBias = Parameters.Zeros("final_layer.adaLN_modulation.1.bias", 2 * width);

            // The last, so that the others begin as they do without it.
            projector = configuration.RepresentationAlign ? new Projector(Parameters, configuration) : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>In what the model computes. What it takes and gives is float32 in any precision.</summary>
    public Precision Precision { get; }

    /// <summary>The architecture.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>What is learned, and the mask token.</summary>
    public ParameterSet Parameters { get; }

    /// <summary>Where the model lives.</summary>
    public Device Device => device;

    /// <summary>Predicts the velocity.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="image">x_t (batch, channels, side, side).</param>
    /// <param name="times">t (batch), from 0 for data to 1 for noise.</param>
    /// <param name="labels">(batch) int32; <see cref="ModelConfiguration.NullClass"/> for none.</param>
    /// <param name="selection">What of the sparse path runs.</param>
    /// <param name="observer">Sees intermediate results, or null.</param>
    /// <returns>(batch, channels, side, side), which the caller disposes.</returns>
    /// <exception cref="ArgumentException">A shape does not fit the configuration.</exception>
    public Tensor Forward(
        Tape? tape, Tensor image, Tensor times, Tensor labels, TokenSelection selection = default, IActivationObserver? observer = null)
    {
        // Nobody but an observer sees the projection: sampling does without the projector.
        Tensor velocity = Forward(tape, image, times, labels, selection, observer is not null, out Tensor projection, observer);
        projection.Dispose();
        return velocity;
    }

    /// <summary>Predicts the velocity, and the features of another network with which hidden states are aligned.</summary>
    /// <param name="tape">Where to record, or null.</param>
    /// <param name="image">x_t (batch, channels, side, side).</param>
    /// <param name="times">t (batch), from 0 for data to 1 for noise.</param>
    /// <param name="labels">(batch) int32; <see cref="ModelConfiguration.NullClass"/> for none.</param>
    /// <param name="selection">What of the sparse path runs.</param>
    /// <param name="projection">
    /// The projector's output for each token that the middle blocks see (batch, M or N, F), which the caller disposes; empty where the model has none, or where
    /// the middle blocks do not run.
    /// </param>
    /// <param name="observer">Sees intermediate results, or null.</param>
    /// <returns>(batch, channels, side, side), which the caller disposes.</returns>
    /// <exception cref="ArgumentException">A shape does not fit the configuration.</exception>
    public Tensor Forward(
        Tape? tape, Tensor image, Tensor times, Tensor labels, TokenSelection selection, out Tensor projection, IActivationObserver? observer = null) =>
        Forward(tape, image, times, labels, selection, true, out projection, observer);

    /// <inheritdoc/>
    public void Dispose()
    {
        Parameters.Dispose();
        rope.Dispose();
    }

    private Tensor Forward(
        Tape? tape, Tensor image, Tensor times, Tensor labels, in TokenSelection selection, bool projects, out Tensor projection, IActivationObserver? observer)
    {
        Account account = device.Account;
        using Account.Scope scope = account.Enter(account.Pass, ModelPart.Embedding);
        using Tensor activated = Condition(tape, times, labels, observer);
        using BlockConditioning conditioning = Share(tape, activated, observer);
        account.Part = ModelPart.Embedding;
        using Tensor embedded = Embed(tape, image, observer);

        account.Part = ModelPart.Encoder;
        using Tensor dense = Run(tape, encoder, "encoder", .., embedded, conditioning, default, observer);

        account.Part = ModelPart.Middle;
        using Tensor sparse = RunMiddle(tape, dense, conditioning, selection, projects, out Tensor projected, observer);
        using Tensor aligned = projected;

        account.Part = ModelPart.Fusion;
        using Tensor fused = Fuse(tape, dense, sparse, selection, observer);
        observer?.Observe("fused", fused);

        account.Part = ModelPart.Decoder;
        using Tensor decoded = Run(tape, decoder, "decoder", .., fused, conditioning, default, observer);

        account.Part = ModelPart.Final;
        using Tensor modulation = Linear.Apply(tape, activated, finalModulationWeight, finalModulationBias);
        using Tensor normalised = AdaptiveLayerNorm.Apply(tape, decoded, modulation, shiftChunk: 0, scaleChunk: 1);
        using Tensor tokens = Linear.Apply(tape, normalised, finalWeight, finalBias, outputType: ElementType.Float32);
        observer?.Observe("final_tokens", tokens);
        Tensor velocity = Patchify.Invert(tape, tokens, Configuration.PatchSize, Configuration.ContextSize, Configuration.ContextSize);
        projection = projected.IsEmpty ? default : projected.Retain();
        return velocity;
    }

    private TransformerBlock[] Blocks(string name, string part, int count)
    {
        BlockParts parts = BlockParts.Of(part);
        var blocks = new TransformerBlock[count];
        for (int i = 0; i < count; i++)
        {
            blocks[i] = new TransformerBlock(Parameters, $"{name}.{i}", parts, Configuration, rope);
        }

        return blocks;
    }

    /// <summary>
    /// SiLU(t_emb + y_emb), which every modulation layer reads. Until here all is float32 in any precision: eight bits are too few for a time, and rows
    /// of samples cost nothing beside rows of tokens.
    /// </summary>
    private Tensor Condition(Tape? tape, Tensor times, Tensor labels, IActivationObserver? observer)
    {
        using Tensor features = TimestepEmbedding.Apply(times, TimestepFeatures);
        using Tensor hidden = Linear.Apply(tape, features, timeWeight1, timeBias1, Activation.Silu);
        using Tensor time = Linear.Apply(tape, hidden, timeWeight2, timeBias2);
        using Tensor label = LabelEmbedding.Apply(tape, labelTable, labels);
        using Tensor sum = Addition.Apply(tape, time, label);
        observer?.Observe("t_emb", time);
        observer?.Observe("y_emb", label);
        observer?.Observe("c", sum);
        using Tensor conditioning = Silu.Apply(tape, sum);
        return Narrowing.Apply(tape, conditioning, activations);
    }

    /// <summary>
    /// What the blocks' modulation shares with <c>adaln_type: lora</c>. Its gradient is a sum over all blocks, so it is float32 in any precision until the
    /// blocks read it.
    /// </summary>
    private BlockConditioning Share(Tape? tape, Tensor activated, IActivationObserver? observer)
    {
        if (sharedModulation.Weight.IsEmpty)
        {
            return new BlockConditioning(activated.Retain());
        }

        device.Account.Part = SharedModulationPart;
        using Tensor wide = Linear.Apply(tape, activated, sharedModulation.Weight, sharedModulation.Bias, outputType: ElementType.Float32);
        using Tensor shared = Narrowing.Apply(tape, wide, activations);
        observer?.Observe("global_adaln", shared);
        return new BlockConditioning(activated.Retain(), shared.Retain());
    }

    private Tensor Embed(Tape? tape, Tensor image, IActivationObserver? observer)
    {
        using Tensor patches = Patchify.Apply(tape, image, Configuration.PatchSize);
        observer?.Observe("tokens_in", patches);
        using Tensor narrowed = Narrowing.Apply(tape, patches, activations);
        using Tensor embedded = Linear.Apply(tape, narrowed, patchWeight, patchBias);
        observer?.Observe("x_embed", embedded);
        return embedded.Retain();
    }

    private static Tensor Run(
        Tape? tape, TransformerBlock[] blocks, string name, Range range, Tensor input, in BlockConditioning conditioning, Tensor ids, IActivationObserver? observer)
    {
        Tensor x = input.Retain();
        try
        {
            (int first, int count) = range.GetOffsetAndLength(blocks.Length);
            for (int i = first; i < first + count; i++)
            {
                Tensor next = blocks[i].Apply(tape, x, conditioning, ids);
                x.Dispose();
                x = next;
                observer?.Observe($"{name}.{i}", x);
            }

            return x;
        }
        catch
        {
            x.Dispose();
            throw;
        }
    }

    private Tensor RunMiddle(
        Tape? tape, Tensor dense, in BlockConditioning conditioning, in TokenSelection selection, bool projects, out Tensor projection, IActivationObserver? observer)
    {
        projection = default;
        if (selection.SkipsMiddle)
        {
            return default;
        }

        using Tensor kept = selection.KeptIds.IsEmpty ? dense.Retain() : TokenDrop.Gather(tape, dense, selection.KeptIds);
        if (projector is null || !projects)
        {
            return Run(tape, middle, "middle", .., kept, conditioning, selection.KeptIds, observer);
        }

        int tapped = Configuration.ProjectedBlock + 1;
        using Tensor hidden = Run(tape, middle, "middle", ..tapped, kept, conditioning, selection.KeptIds, observer);
        using Tensor projected = projector.Apply(tape, hidden);
        observer?.Observe("z_tilde", projected);
        Tensor sparse = Run(tape, middle, "middle", tapped.., hidden, conditioning, selection.KeptIds, observer);
        projection = projected.Retain();
        return sparse;
    }

    private Tensor Fuse(Tape? tape, Tensor dense, Tensor sparse, in TokenSelection selection, IActivationObserver? observer)
    {
        bool located = !sparse.IsEmpty && !(selection.KeptIds.IsEmpty && selection.PathDrop.IsEmpty);
        using Tensor rows = located
            ? TokenDrop.Locate(device, dense.Shape[0], dense.Shape[1], selection.KeptIds, selection.PathDrop)
            : default;
        if (observer is not null)
        {
            ObserveRestored(dense, sparse, rows, observer);
        }

        return ResidualFusion.Apply(tape, new FusionInputs(dense, sparse, rows, maskToken, fusionWeight, fusionBias));
    }

    /// <summary>The padded sparse path, which the fusion does without: made for observers alone.</summary>
    private void ObserveRestored(Tensor dense, Tensor sparse, Tensor rows, IActivationObserver observer)
    {
        if (!sparse.IsEmpty && rows.IsEmpty)
        {
            observer.Observe("restored", sparse);
            return;
        }

        using Tensor nothing = sparse.IsEmpty ? device.Allocate(new Shape(1, 1, dense.Shape[2]), dense.ElementType) : default;
        using Tensor nowhere = rows.IsEmpty ? device.Allocate(new Shape(dense.Shape[0], dense.Shape[1]), ElementType.Int32) : default;
        if (!nowhere.IsEmpty)
        {
            var minusOnes = new int[nowhere.Count];
            Array.Fill(minusOnes, -1);
            nowhere.CopyFrom<int>(minusOnes);
        }

        using Tensor restored = TokenDrop.Scatter(
            null, sparse.IsEmpty ? nothing : sparse, rows.IsEmpty ? nowhere : rows, maskToken);
        observer.Observe("restored", restored);
    }
}
