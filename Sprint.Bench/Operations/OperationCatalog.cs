using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Operations;

/// <summary>Every operation of a model at the sizes of a model, also SwiGLU and modulation of low rank where it has neither: what <c>micro</c> and <c>kernels</c> run.</summary>
internal static class OperationCatalog
{
    private const int TimeFeatures = 256;

    /// <summary>The cases of a model.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="sizes">The sizes.</param>
    public static IReadOnlyList<OperationCase> Of(string name, OperationSizes sizes)
    {
        ModelConfiguration model = sizes.Model;
        (int batch, int tokens, int kept, int width) = (sizes.Batch, model.Tokens, sizes.Pattern.KeptTokens, model.HiddenSize);
        List<OperationCase> cases = [];

        Both("linear qkv", $"{batch * tokens}x{width} -> {3 * width}", static (work, at) => Linear(work, at.Batch * at.Model.Tokens, at.Model.HiddenSize, 3 * at.Model.HiddenSize));
        Both("linear projection", $"{batch * tokens}x{width} -> {width}", static (work, at) => Linear(work, at.Batch * at.Model.Tokens, at.Model.HiddenSize, at.Model.HiddenSize));
        Both("linear mlp up gelu", $"{batch * tokens}x{width} -> {model.MlpWidth}", static (work, at) => Linear(work, at.Batch * at.Model.Tokens, at.Model.HiddenSize, at.Model.MlpWidth, Activation.Gelu));
        Both("linear mlp down", $"{batch * tokens}x{model.MlpWidth} -> {width}", static (work, at) => Linear(work, at.Batch * at.Model.Tokens, at.Model.MlpWidth, at.Model.HiddenSize));
        Both("linear mlp down gated", $"{batch * tokens}x{model.MlpWidth} -> {width}", GatedLinearLayer);
        Both("swiglu mlp gated", $"{batch * tokens}x{width} -> {model.MlpWidth} -> {width}", SwiGluMlp);
        Both("linear qkv kept", $"{batch * kept}x{width} -> {3 * width}", static (work, at) => Linear(work, at.Batch * at.Pattern.KeptTokens, at.Model.HiddenSize, 3 * at.Model.HiddenSize));
        Both("linear modulation", $"{batch}x{width} -> {6 * width}", static (work, at) => Linear(work, at.Batch, at.Model.HiddenSize, 6 * at.Model.HiddenSize));
        Both("linear modulation down", $"{batch}x{width} -> {Rank(model)}", static (work, at) => Linear(work, at.Batch, at.Model.HiddenSize, Rank(at.Model)));
        Both("linear modulation up", $"{batch}x{Rank(model)} -> {6 * width}", static (work, at) => Linear(work, at.Batch, Rank(at.Model), 6 * at.Model.HiddenSize));
        Both("addition modulation", $"{batch}x{6 * width}, what two blocks share", SharedModulation);
        Both("linear patch embedding", $"{batch * tokens}x{model.PatchFeatures} -> {width}", static (work, at) => Linear(work, at.Batch * at.Model.Tokens, at.Model.PatchFeatures, at.Model.HiddenSize));
        Both("attention", $"{batch}x{tokens} tokens, {model.NumHeads} heads of {model.HeadSize}", static (work, at) => AttentionOf(work, at, keptOnly: false));
        Both("attention kept", $"{batch}x{kept} tokens, {model.NumHeads} heads of {model.HeadSize}", static (work, at) => AttentionOf(work, at, keptOnly: true));
        Both("adaptive layer norm", $"{batch}x{tokens}x{width}", static (work, at) => LayerNorm(work, at));
        Both("gated residual", $"{batch}x{tokens}x{width}", GatedResidualOf);
        Both("residual fusion", $"{batch}x{tokens} dense and {kept} kept rows of {width}", Fusion);
        Forward("tokens select", $"{batch}x{tokens} -> {kept}", static (work, at) =>
        {
            Tensor uniforms = work.Uniforms(TokenDrop.UniformsShape(at.Pattern, at.Batch));
            work.Prepare(_ => TokenDrop.Select(uniforms, at.Pattern));
        });
        Forward("tokens locate", $"{batch}x{kept} -> {tokens}", static (work, at) =>
        {
            Tensor ids = Ids(work, at);
            work.Prepare(_ => TokenDrop.Locate(work.Device, at.Batch, at.Model.Tokens, ids, default));
        });
        Both("tokens gather", $"{batch}x{tokens}x{width} -> {kept}", static (work, at) =>
        {
            (Tensor all, Tensor ids) = (work.Activation(at.Batch, at.Model.Tokens, at.Model.HiddenSize), Ids(work, at));
            work.Prepare(tape => TokenDrop.Gather(tape, all, ids));
        });
        Both("patchify", $"{batch}x{model.InChannels}x{model.ContextSize}x{model.ContextSize}", static (work, at) =>
        {
            Tensor image = work.Activation(at.Batch, at.Model.InChannels, at.Model.ContextSize, at.Model.ContextSize);
            work.Prepare(tape => Patchify.Apply(tape, image, at.Model.PatchSize));
        });
        Both("silu", $"{batch}x{width}", static (work, at) =>
        {
            Tensor input = work.Activation(at.Batch, at.Model.HiddenSize);
            work.Prepare(tape => Silu.Apply(tape, input));
        });
        Forward("addition", $"{batch}x{tokens}x{width}", static (work, at) =>
        {
            Tensor left = work.Activation(at.Batch, at.Model.Tokens, at.Model.HiddenSize);
            Tensor right = work.Activation(at.Batch, at.Model.Tokens, at.Model.HiddenSize);
            work.Prepare(_ => Addition.Apply(null, left, right));
        });
        Forward("timestep embedding", $"{batch}x{TimeFeatures}", static (work, at) =>
        {
            Tensor times = work.Uniforms(new Shape(at.Batch));
            work.Prepare(_ => TimestepEmbedding.Apply(times, TimeFeatures, work.Element));
        });
        Both("label embedding", $"{batch} of {model.NumClasses} classes", static (work, at) =>
        {
            (Tensor table, Tensor labels) = (work.WideWeight(at.Model.NumClasses + 1, at.Model.HiddenSize), work.Integers(new Shape(at.Batch), new int[at.Batch]));
            work.Prepare(tape => LabelEmbedding.Apply(tape, table, labels));
        });
        Forward("flow interpolate", $"{batch}x{model.InChannels}x{model.ContextSize}x{model.ContextSize}", Interpolate);
        Both("flow loss", $"{batch}x{model.InChannels}x{model.ContextSize}x{model.ContextSize}", Loss);
        Both("cosine loss kept", $"{batch}x{kept} of {tokens} rows of {width}", Alignment);
        Forward("random normal", $"{batch}x{model.InChannels}x{model.ContextSize}x{model.ContextSize}", static (work, at) =>
        {
            Shape shape = new(at.Batch, at.Model.InChannels, at.Model.ContextSize, at.Model.ContextSize);
            work.Prepare(_ => RandomNumbers.Normal(work.Device, shape, new RandomStream(0, 1)));
        });
        Forward("adamw", $"{4L * width * width} parameters, norm and moving average", Optimizer);
        return cases;

        void Forward(string operation, string shape, Action<OperationWorkload, OperationSizes> setup) => cases.Add(new OperationCase(name, operation, Trains: false, shape, sizes, setup));

        void Both(string operation, string shape, Action<OperationWorkload, OperationSizes> setup)
        {
            Forward(operation, shape, setup);
            cases.Add(new OperationCase(name, operation, Trains: true, shape, sizes, setup));
        }
    }

    private static void Linear(OperationWorkload work, int rows, int inputs, int outputs, Activation activation = Activation.None)
    {
        (Tensor input, Tensor weight, Tensor bias) = (work.Activation(rows, inputs), work.Weight(outputs, inputs), work.Weight(outputs));
        work.Prepare(tape => Sprint.Engine.Operations.Linear.Apply(tape, input, weight, bias, activation));
    }

    private static void GatedLinearLayer(OperationWorkload work, OperationSizes at)
    {
        int width = at.Model.HiddenSize;
        (Tensor residual, Tensor input) = (work.Activation(at.Batch, at.Model.Tokens, width), work.Activation(at.Batch, at.Model.Tokens, at.Model.MlpWidth));
        (Tensor weight, Tensor bias, Tensor modulation) = (work.Weight(width, at.Model.MlpWidth), work.Weight(width), work.Activation(at.Batch, 6 * width));
        work.Prepare(tape => GatedLinear.Apply(tape, residual, input, weight, bias, modulation, gateChunk: 5));
    }

    private static void SwiGluMlp(OperationWorkload work, OperationSizes at)
    {
        (int width, int hidden) = (at.Model.HiddenSize, at.Model.MlpWidth);
        (Tensor residual, Tensor input) = (work.Activation(at.Batch, at.Model.Tokens, width), work.Activation(at.Batch, at.Model.Tokens, width));
        Tensor modulation = work.Activation(at.Batch, 6 * width);
        SwiGluWeights weights = new(Layer(hidden, width), Layer(hidden, width), Layer(width, hidden));
        work.Prepare(tape => SwiGlu.ApplyGated(tape, residual, input, weights, modulation, gateChunk: 5));

        LinearWeights Layer(int outputs, int inputs) => new(work.Weight(outputs, inputs), work.Weight(outputs));
    }

    /// <summary>The rank of the modulation's layers, or a quarter of the width.</summary>
    private static int Rank(ModelConfiguration model) => model.AdalnLoraRank ?? Math.Max(1, model.HiddenSize / 4);

    private static void SharedModulation(OperationWorkload work, OperationSizes at)
    {
        (Tensor own, Tensor shared) = (work.Activation(at.Batch, 6 * at.Model.HiddenSize), work.Activation(at.Batch, 6 * at.Model.HiddenSize));
        work.Prepare(tape =>
        {
            using Tensor first = Addition.Apply(tape, own, shared);
            return Addition.Apply(tape, first, shared);
        });
    }

    private static void AttentionOf(OperationWorkload work, OperationSizes at, bool keptOnly)
    {
        ModelConfiguration model = at.Model;
        RopeTable rope = work.Own(new RopeTable(work.Device, model.GridSide, model.GridSide, model.HeadSize, model.RopeTheta));
        Tensor ids = keptOnly ? Ids(work, at) : default;
        Tensor qkv = work.Activation(at.Batch, keptOnly ? at.Pattern.KeptTokens : model.Tokens, 3 * model.HiddenSize);
        AttentionArguments arguments = new(model.NumHeads, work.WideWeight(model.HeadSize), work.WideWeight(model.HeadSize), rope.Cosines, rope.Sines, ids);
        work.Prepare(tape => Attention.Apply(tape, qkv, arguments));
    }

    private static void LayerNorm(OperationWorkload work, OperationSizes at)
    {
        Tensor input = work.Activation(at.Batch, at.Model.Tokens, at.Model.HiddenSize);
        Tensor modulation = work.Activation(at.Batch, 6 * at.Model.HiddenSize);
        work.Prepare(tape => AdaptiveLayerNorm.Apply(tape, input, modulation, shiftChunk: 0, scaleChunk: 1));
    }

    private static void GatedResidualOf(OperationWorkload work, OperationSizes at)
    {
        Tensor input = work.Activation(at.Batch, at.Model.Tokens, at.Model.HiddenSize);
        Tensor branch = work.Activation(at.Batch, at.Model.Tokens, at.Model.HiddenSize);
        Tensor modulation = work.Activation(at.Batch, 6 * at.Model.HiddenSize);
        work.Prepare(tape => GatedResidual.Apply(tape, input, branch, modulation, gateChunk: 2));
    }

    private static void Fusion(OperationWorkload work, OperationSizes at)
    {
        int width = at.Model.HiddenSize;
        Tensor dense = work.Activation(at.Batch, at.Model.Tokens, width);
        Tensor sparse = work.Activation(at.Batch, at.Pattern.KeptTokens, width);
        Tensor rows = work.Own(TokenDrop.Locate(work.Device, at.Batch, at.Model.Tokens, Ids(work, at), default));
        FusionInputs inputs = new(dense, sparse, rows, work.Constant(1, 1, width), work.Weight(width, 2 * width), work.Weight(width));
        work.Prepare(tape => ResidualFusion.Apply(tape, inputs));
    }

    private static void Interpolate(OperationWorkload work, OperationSizes at)
    {
        Shape shape = new(at.Batch, at.Model.InChannels, at.Model.ContextSize, at.Model.ContextSize);
        (Tensor data, Tensor noise, Tensor times) = (work.Uniforms(shape), work.Uniforms(shape), work.Uniforms(new Shape(at.Batch)));
        work.Prepare(_ =>
        {
            Tensor mixed = FlowMatching.Interpolate(data, noise, times, FlowPath.Linear, out Tensor target);
            target.Dispose();
            return mixed;
        });
    }

    private static void Loss(OperationWorkload work, OperationSizes at)
    {
        Tensor prediction = work.Activation(at.Batch, at.Model.InChannels, at.Model.ContextSize, at.Model.ContextSize);
        Tensor target = work.Constant(at.Batch, at.Model.InChannels, at.Model.ContextSize, at.Model.ContextSize);
        work.Prepare(tape => FlowMatching.Loss(tape, prediction, target));
    }

    private static void Alignment(OperationWorkload work, OperationSizes at)
    {
        Tensor prediction = work.Activation(at.Batch, at.Pattern.KeptTokens, at.Model.HiddenSize);
        (Tensor target, Tensor ids) = (work.Constant(at.Batch, at.Model.Tokens, at.Model.HiddenSize), Ids(work, at));
        work.Prepare(tape => CosineLoss.Apply(tape, prediction, target, ids));
    }

    private static void Optimizer(OperationWorkload work, OperationSizes at)
    {
        Parameter parameter = work.Learned(new Shape(4 * at.Model.HiddenSize, at.Model.HiddenSize), trainable: true);
        _ = parameter.Gradient;
        AdamW optimizer = work.Own(new AdamW(work.Device, [parameter]));
        int step = 0;
        work.Prepare(_ =>
        {
            optimizer.MeasureNorm();
            optimizer.Update(new AdamWSettings(1e-4, ++step));
            return work.Device.Allocate(new Shape(1));
        });
    }

    private static Tensor Ids(OperationWorkload work, OperationSizes at) => at.Pattern.Kind == DropKind.None
        ? work.Integers(new Shape(at.Batch, at.Model.Tokens), [.. Enumerable.Range(0, at.Batch * at.Model.Tokens).Select(i => i % at.Model.Tokens)])
        : work.Own(TokenDrop.Select(work.Uniforms(TokenDrop.UniformsShape(at.Pattern, at.Batch)), at.Pattern));
}
