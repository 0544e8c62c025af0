using Sprint.Engine.Cuda;
using Sprint.Engine.Operations;

namespace Sprint.Engine.Measurement;

/// <summary>The kernels that a training step spends its time in, each on the tensors of a shape.</summary>
public static class KernelWorkloads
{
    private const int RowsOfGate = 8;
    private const int FusedMatrixFlops = 2;

    /// <summary>Everything that is bound by memory, one workload after the other; each is to be disposed before the next is taken.</summary>
    /// <param name="device">The device.</param>
    /// <param name="shape">The extents.</param>
    /// <param name="element">How tensors are stored.</param>
    public static IEnumerable<KernelWorkload> MemoryBound(CudaDevice device, KernelShape shape, ElementType element)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(shape);
        yield return Gather(device, shape, element);
        yield return GatherBackward(device, shape, element);
        yield return Scatter(device, shape, element);
        yield return LayerNorm(device, shape, element);
        yield return LayerNormBackward(device, shape, element);
        yield return GatedResidual(device, shape, element);
        yield return GatedResidualBackward(device, shape, element);
        yield return Activation(device, shape, element);
        yield return SwiGlu(device, shape, element);
        yield return BiasGradient(device, shape, element);
        yield return Fusion(device, shape, element);
        yield return Elementwise(device, shape, element);
        yield return Objective(device, shape, element);
        yield return Alignment(device, shape, element);
        if (element == ElementType.Float32)
        {
            yield return Optimizer(device, shape);
            yield return Numbers(device, shape);
        }
    }

    /// <summary>Attention of the sparse blocks and of the dense ones, and the products of a sparse block.</summary>
    /// <param name="device">The device.</param>
    /// <param name="shape">The extents.</param>
    /// <param name="element">How tensors are stored.</param>
    public static IEnumerable<KernelWorkload> Products(CudaDevice device, KernelShape shape, ElementType element)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(shape);
        yield return Attention(device, shape, shape.Kept, element);
        yield return Attention(device, shape, shape.Tokens, element);
        yield return Product(device, shape, element, "MLP up", shape.Width, 4 * shape.Width, Operations.Activation.Gelu);
        yield return Product(device, shape, element, "qkv", shape.Width, 3 * shape.Width, Operations.Activation.None);
        yield return GatedProduct(device, shape, element);
        yield return SwiGluProducts(device, shape, element);
    }

    private static KernelWorkload Gather(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "gather of kept tokens", element);
        Tensor all = own.Zeros(Rows(shape)), kept = own.Zeros(Kept(shape)), ids = KeptIds(own, shape);
        return own.With(
            () => device.Kernels<ITokenDropKernels>().Gather(all, ids, kept),
            new KernelTraffic("tokens_gather_forward", (2 * kept.Bytes) + ids.Bytes));
    }

    private static KernelWorkload GatherBackward(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "gather, backward", element);
        Tensor all = own.Zeros(Rows(shape)), kept = own.Zeros(Kept(shape)), ids = KeptIds(own, shape);
        return own.With(
            () => device.Kernels<ITokenDropKernels>().GatherBackward(kept, ids, all),
            new KernelTraffic("tokens_gather_backward", (3 * kept.Bytes) + ids.Bytes));
    }

    private static KernelWorkload Scatter(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "scatter to all tokens", element);
        Tensor all = own.Zeros(Rows(shape)), kept = own.Zeros(Kept(shape)), fill = own.Zeros(new Shape(shape.Width)), rows = RowMap(own, shape);
        return own.With(
            () =>
            {
                device.Kernels<ITokenDropKernels>().Scatter(kept, rows, fill, all);
                device.Kernels<ITokenDropKernels>().ScatterBackward(all, rows, kept, fill);
            },
            new KernelTraffic("tokens_scatter_forward", all.Bytes + kept.Bytes + rows.Bytes, all.Bytes - kept.Bytes),
            new KernelTraffic("tokens_scatter_backward_input", (3 * kept.Bytes) + rows.Bytes),
            new KernelTraffic("tokens_scatter_backward_fill", all.Bytes - kept.Bytes + rows.Bytes, 0, 0, ReadsWhole: false));
    }

    private static KernelWorkload LayerNorm(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "adaptive layer norm", element);
        Tensor x = own.Zeros(Rows(shape)), y = own.Zeros(x.Shape), modulation = Modulation(own, shape), statistics = Statistics(own, shape);
        return own.With(
            () => device.Kernels<IAdaptiveLayerNormKernels>().Forward(x, modulation, 0, 1, y, statistics),
            new KernelTraffic("adaptive_layer_norm_forward", (2 * x.Bytes) + statistics.Bytes + (modulation.Bytes / 3), 2 * x.Bytes));
    }

    private static KernelWorkload LayerNormBackward(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "adaptive layer norm, backward", element);
        Tensor x = own.Zeros(Rows(shape)), dy = own.Zeros(x.Shape), dx = own.Zeros(x.Shape), modulation = Modulation(own, shape), statistics = Statistics(own, shape);
        Tensor modulationGradient = own.Zeros(modulation.Shape);
        return own.With(
            () => device.Kernels<IAdaptiveLayerNormKernels>().Backward(dy, x, modulation, 0, 1, statistics, dx, false, modulationGradient),
            new KernelTraffic("adaptive_layer_norm_backward", (3 * x.Bytes) + statistics.Bytes + (2 * PartialSums(shape)), x.Bytes));
    }

    private static KernelWorkload GatedResidual(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "gated residual", element);
        Tensor x = own.Zeros(Rows(shape)), branch = own.Zeros(x.Shape), y = own.Zeros(x.Shape), modulation = Modulation(own, shape);
        return own.With(
            () => device.Kernels<IGatedResidualKernels>().Forward(x, branch, modulation, 2, y),
            new KernelTraffic("gated_residual_forward", (3 * x.Bytes) + (modulation.Bytes / 6), x.Bytes / RowsOfGate));
    }

    private static KernelWorkload GatedResidualBackward(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "gated residual, backward", element);
        Tensor dy = own.Zeros(Rows(shape)), branch = own.Zeros(dy.Shape), dbranch = own.Zeros(dy.Shape), modulation = Modulation(own, shape);
        Tensor modulationGradient = own.Zeros(modulation.Shape);
        return own.With(
            () => device.Kernels<IGatedResidualKernels>().Backward(dy, branch, modulation, 2, dbranch, false, modulationGradient),
            new KernelTraffic("gated_residual_backward", (3 * dy.Bytes) + (modulation.Bytes / 6) + PartialSums(shape), dy.Bytes / CudaColumnSums.TokensPerBlock(shape.Batch, shape.Tokens)));
    }

    private static KernelWorkload Activation(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "derivative of GELU", element);
        Tensor gradient = own.Zeros(Rows(shape)), argument = own.Zeros(gradient.Shape);
        return own.With(
            () => device.Kernels<ILinearKernels>().BackwardActivation(gradient, Operations.Activation.Gelu, argument),
            new KernelTraffic("linear_backward_activation", 3 * gradient.Bytes));
    }

    private static KernelWorkload SwiGlu(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "SwiGLU, backward", element);
        Tensor gate = own.Zeros(Rows(shape)), linear = own.Zeros(gate.Shape), product = own.Zeros(gate.Shape);
        return own.With(
            () => device.Kernels<ISwiGluKernels>().Backward(gate, linear, product), new KernelTraffic("swiglu_backward", 6 * gate.Bytes));
    }

    private static KernelWorkload BiasGradient(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "gradient of a bias", element);
        Tensor gradient = own.Zeros(Rows(shape)), bias = own.Zeros(new Shape(shape.Width), ElementType.Float32);
        return own.With(
            () => device.Kernels<ILinearKernels>().BackwardBias(gradient, bias, false),
            new KernelTraffic("linear_backward_bias", gradient.Bytes + ColumnSums(gradient)));
    }

    private static KernelWorkload Fusion(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "residual fusion, backward", element);
        Tensor f = own.Zeros(Rows(shape)), g = own.Zeros(Kept(shape)), rows = RowMap(own, shape), mask = own.Zeros(new Shape(1, 1, shape.Width));
        Tensor weight = own.Zeros(new Shape(shape.Width, 2 * shape.Width)), bias = own.Zeros(new Shape(shape.Width)), dy = own.Zeros(f.Shape);
        Tensor biasGradient = own.Zeros(bias.Shape, ElementType.Float32);
        FusionInputs inputs = new(f, g, rows, mask, weight, bias);
        return own.With(
            () => device.Kernels<IResidualFusionKernels>().Backward(dy, inputs, new FusionGradients(default, false, default, false, default, false, biasGradient, false, default)),
            new KernelTraffic("fusion_gather_backward", dy.Bytes + g.Bytes + rows.Bytes + (2 * ColumnSums(dy)), rows.Bytes * (shape.Width / (32 * (16 / dy.ElementType.Size())))));
    }

    private static KernelWorkload Elementwise(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "addition, also to float32, and SiLU", element);
        Tensor x = own.Zeros(Rows(shape)), y = own.Zeros(x.Shape), z = own.Zeros(x.Shape), wide = own.Zeros(x.Shape, ElementType.Float32);
        return own.With(
            () =>
            {
                device.Kernels<IAdditionKernels>().Add(x, y, z);
                device.Kernels<INarrowingKernels>().Widen(x, wide, true);
                device.Kernels<ISiluKernels>().Forward(x, y);
                device.Kernels<ISiluKernels>().Backward(x, y, z, false);
            },
            new KernelTraffic("elements_add", 3 * x.Bytes),
            new KernelTraffic("elements_widen", x.Bytes + (2 * wide.Bytes)),
            new KernelTraffic("silu_forward", 2 * x.Bytes),
            new KernelTraffic("silu_backward", 3 * x.Bytes));
    }

    private static KernelWorkload Objective(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "flow matching", element);
        Tensor x = own.Zeros(Rows(shape)), noise = own.Zeros(x.Shape), mixed = own.Zeros(x.Shape), target = own.Zeros(x.Shape);
        Tensor times = own.Zeros(new Shape(shape.Batch), ElementType.Float32), loss = own.Zeros(new Shape(1), ElementType.Float32), one = own.Zeros(new Shape(1), ElementType.Float32);
        return own.With(
            () =>
            {
                device.Kernels<IFlowMatchingKernels>().Interpolate(x, noise, times, FlowPath.Linear, mixed, target);
                device.Kernels<IFlowMatchingKernels>().Loss(mixed, target, loss);
                device.Kernels<IFlowMatchingKernels>().LossBackward(one, mixed, target, x);
            },
            new KernelTraffic("flow_matching_interpolate", 4 * x.Bytes),
            new KernelTraffic("flow_matching_loss", 2 * x.Bytes),
            new KernelTraffic("flow_matching_loss_backward", 3 * x.Bytes));
    }

    /// <summary>As many features as channels: those of the usual networks are from 768 to 1,536.</summary>
    private static KernelWorkload Alignment(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "cosine loss", element);
        Tensor prediction = own.Zeros(Kept(shape)), target = own.Zeros(Rows(shape)), ids = KeptIds(own, shape), gradient = own.Zeros(prediction.Shape);
        Tensor coefficients = own.Zeros(new Shape(shape.Batch, shape.Kept, 2), ElementType.Float32);
        Tensor loss = own.Zeros(new Shape(1), ElementType.Float32), one = own.Zeros(new Shape(1), ElementType.Float32);
        return own.With(
            () =>
            {
                device.Kernels<ICosineLossKernels>().Forward(prediction, target, ids, coefficients, loss);
                device.Kernels<ICosineLossKernels>().Backward(one, prediction, target, ids, coefficients, gradient, false);
            },
            new KernelTraffic("cosine_loss_forward", (2 * prediction.Bytes) + ids.Bytes + coefficients.Bytes),
            new KernelTraffic("cosine_loss_backward", (3 * prediction.Bytes) + ids.Bytes + coefficients.Bytes));
    }

    private static KernelWorkload Optimizer(CudaDevice device, KernelShape shape)
    {
        KernelWorkload own = new(device, "AdamW with moving average", ElementType.Float32);
        Parameter parameter = own.Keep(new Parameter(device, "weight", new Shape(shape.Batch * shape.Tokens, shape.Width)));
        device.Clear(parameter.Value);
        AdamW optimizer = own.Keep(new AdamW(device, [parameter]));
        optimizer.Configure(new AdamWSettings(1e-3, 1));
        long bytes = parameter.Value.Bytes;
        return own.With(
            () =>
            {
                optimizer.MeasureNorm();
                optimizer.Update();
            },
            new KernelTraffic("adamw_gradient_norm", bytes),
            new KernelTraffic("adamw_update", 9 * bytes));
    }

    private static KernelWorkload Numbers(CudaDevice device, KernelShape shape)
    {
        KernelWorkload own = new(device, "random numbers", ElementType.Float32);
        Tensor numbers = own.Zeros(Rows(shape));
        return own.With(
            () =>
            {
                device.Kernels<IRandomKernels>().Uniform(new RandomStream(1, 2), numbers);
                device.Kernels<IRandomKernels>().Normal(new RandomStream(1, 2), numbers);
            },
            new KernelTraffic("random_uniform", numbers.Bytes),
            new KernelTraffic("random_normal", numbers.Bytes));
    }

    private static KernelWorkload Attention(CudaDevice device, KernelShape shape, int tokens, ElementType element)
    {
        KernelWorkload own = new(device, $"attention of {tokens} tokens", element);
        Shape packed = new(shape.Batch, tokens, 3 * shape.Width), merged = new(shape.Batch, tokens, shape.Width);
        Tensor qkv = own.Zeros(packed), y = own.Zeros(merged), dy = own.Zeros(merged), dqkv = own.Zeros(packed);
        Tensor logSumExp = own.Zeros(new Shape(shape.Batch, shape.Heads, tokens), ElementType.Float32);
        Shape norm = new(shape.HeadSize), table = new(shape.Tokens, shape.HeadSize / 2);
        Tensor queryNorm = own.Zeros(norm, ElementType.Float32), keyNorm = own.Zeros(norm, ElementType.Float32);
        Tensor cosines = own.Zeros(table, ElementType.Float32), sines = own.Zeros(table, ElementType.Float32);
        Tensor queryGradient = own.Zeros(norm, ElementType.Float32), keyGradient = own.Zeros(norm, ElementType.Float32);
        AttentionArguments arguments = new(shape.Heads, queryNorm, keyNorm, cosines, sines, default);
        long product = FusedMatrixFlops * shape.Batch * (long)tokens * tokens * shape.Width;
        return own.With(
            () =>
            {
                device.Kernels<IAttentionKernels>().Forward(qkv, arguments, y, logSumExp);
                device.Kernels<IAttentionKernels>().Backward(dy, qkv, arguments, y, logSumExp, dqkv, queryGradient, keyGradient);
            },
            new KernelTraffic("attention_forward", qkv.Bytes + y.Bytes + logSumExp.Bytes, 0, 2 * product, ReadsWhole: false),
            new KernelTraffic("attention_backward_prepare", (2 * y.Bytes) + logSumExp.Bytes),
            new KernelTraffic("attention_backward_dkv", qkv.Bytes + y.Bytes + (2 * logSumExp.Bytes) + (2 * y.Bytes), 0, 4 * product, ReadsWhole: false),
            new KernelTraffic("attention_backward_dq", qkv.Bytes + y.Bytes + (2 * logSumExp.Bytes) + y.Bytes, 0, 3 * product, ReadsWhole: false));
    }

    private static KernelWorkload Product(CudaDevice device, KernelShape shape, ElementType element, string name, int inputs, int outputs, Activation activation)
    {
        KernelWorkload own = new(device, name, element);
        Tensor x = own.Zeros(new Shape(shape.Batch, shape.Kept, inputs)), weight = own.Zeros(new Shape(outputs, inputs)), bias = own.Zeros(new Shape(outputs));
        Tensor y = own.Zeros(new Shape(shape.Batch, shape.Kept, outputs)), dx = own.Zeros(x.Shape), dw = own.Zeros(weight.Shape, ElementType.Float32);
        Tensor argument = activation == Operations.Activation.None ? default : own.Zeros(y.Shape);
        long flops = FusedMatrixFlops * x.Count * outputs;
        return own.With(
            () =>
            {
                ILinearKernels kernels = device.Kernels<ILinearKernels>();
                kernels.Forward(x, weight, bias, activation, argument, y);
                kernels.BackwardInput(y, weight, dx, false);
                kernels.BackwardWeight(y, x, dw, false);
            },
            new KernelTraffic("matrix_product_forward", x.Bytes + weight.Bytes + bias.Bytes + y.Bytes + argument.Bytes, 0, flops, ReadsWhole: false),
            new KernelTraffic("matrix_product_backward_input", y.Bytes + weight.Bytes + dx.Bytes, 0, flops, ReadsWhole: false),
            new KernelTraffic("matrix_product_backward_weight", y.Bytes + x.Bytes + dw.Bytes, 0, flops, ReadsWhole: false));
    }

    private static KernelWorkload GatedProduct(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "MLP down with gated residual, and GELU' on the way back", element);
        Tensor h = own.Zeros(new Shape(shape.Batch, shape.Kept, 4 * shape.Width)), weight = own.Zeros(new Shape(shape.Width, 4 * shape.Width)), bias = own.Zeros(new Shape(shape.Width));
        Tensor x = own.Zeros(Kept(shape)), y = own.Zeros(x.Shape), branch = own.Zeros(x.Shape), modulation = Modulation(own, shape), dh = own.Zeros(h.Shape);
        long flops = FusedMatrixFlops * h.Count * shape.Width;
        return own.With(
            () =>
            {
                ILinearKernels kernels = device.Kernels<ILinearKernels>();
                kernels.ForwardGated(h, weight, bias, x, modulation, 5, branch, y);
                kernels.BackwardArgument(y, weight, Operations.Activation.Gelu, h, dh);
            },
            new KernelTraffic("matrix_product_forward", h.Bytes + weight.Bytes + bias.Bytes + (3 * x.Bytes) + (modulation.Bytes / 6), 0, flops, ReadsWhole: false),
            new KernelTraffic("matrix_product_backward_input", y.Bytes + weight.Bytes + (2 * h.Bytes), 0, flops, ReadsWhole: false));
    }

    private static KernelWorkload SwiGluProducts(CudaDevice device, KernelShape shape, ElementType element)
    {
        KernelWorkload own = new(device, "SwiGLU's product with its gate, and the way back", element);
        Tensor x = own.Zeros(Kept(shape)), weight = own.Zeros(new Shape(4 * shape.Width, shape.Width)), bias = own.Zeros(new Shape(4 * shape.Width));
        Tensor gate = own.Zeros(new Shape(shape.Batch, shape.Kept, 4 * shape.Width)), linear = own.Zeros(gate.Shape), product = own.Zeros(gate.Shape);
        Tensor last = own.Zeros(new Shape(shape.Width, 4 * shape.Width));
        long flops = FusedMatrixFlops * gate.Count * shape.Width;
        return own.With(
            () =>
            {
                ISwiGluKernels kernels = device.Kernels<ISwiGluKernels>();
                kernels.Forward(x, weight, bias, gate, linear, product);
                kernels.BackwardProduct(x, last, gate, linear, product);
            },
            new KernelTraffic("matrix_product_forward", x.Bytes + weight.Bytes + bias.Bytes + (3 * gate.Bytes), 0, flops, ReadsWhole: false),
            new KernelTraffic("matrix_product_backward_input", x.Bytes + last.Bytes + (5 * gate.Bytes), 0, flops, ReadsWhole: false));
    }

    private static Shape Rows(KernelShape shape) => new(shape.Batch, shape.Tokens, shape.Width);

    private static Shape Kept(KernelShape shape) => new(shape.Batch, shape.Kept, shape.Width);

    private static Tensor Modulation(KernelWorkload own, KernelShape shape) => own.Zeros(new Shape(shape.Batch, 6 * shape.Width));

    private static Tensor Statistics(KernelWorkload own, KernelShape shape) => own.Zeros(new Shape(shape.Batch, shape.Tokens, 2), ElementType.Float32);

    private static long ColumnSums(Tensor summed) => CudaColumnSums.Grid(summed.Shape.Rows, summed.Shape.RowLength, summed.ElementType).Y * (long)summed.Shape.RowLength * sizeof(float);

    private static long PartialSums(KernelShape shape) =>
        (long)shape.Batch * CudaKernelFamily.Blocks(shape.Tokens, CudaColumnSums.TokensPerBlock(shape.Batch, shape.Tokens)) * shape.Width * sizeof(float);

    /// <summary>One token of each group, as a structured pattern keeps them.</summary>
    private static Tensor KeptIds(KernelWorkload own, KernelShape shape) => own.Integers(
        new Shape(shape.Batch, shape.Kept), [.. Enumerable.Range(0, shape.Batch * shape.Kept).Select(i => i % shape.Kept * (shape.Tokens / shape.Kept))]);

    private static Tensor RowMap(KernelWorkload own, KernelShape shape)
    {
        int group = shape.Tokens / shape.Kept;
        return own.Integers(
            new Shape(shape.Batch, shape.Tokens),
            [
                .. Enumerable.Range(0, shape.Batch * shape.Tokens)
                    .Select(n => n % shape.Tokens % group == 0 && n % shape.Tokens / group < shape.Kept ? (n / shape.Tokens * shape.Kept) + (n % shape.Tokens / group) : -1),
            ]);
    }
}
