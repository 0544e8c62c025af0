namespace Sprint.Engine.Operations;

/// <summary>
/// Token dropping: draws the kept tokens of each sample, gathers their rows, and puts rows back into the full grid.
/// N tokens of the grid, M kept. Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 3.
/// </summary>
public static class TokenDrop
{
    private const string Name = "token drop";

    /// <summary>The shape of the uniforms that <see cref="Select"/> consumes.</summary>
    /// <param name="pattern">A structured or random pattern.</param>
    /// <param name="batch">Samples.</param>
    /// <returns>(batch, groups, groupSize^2) or (batch, tokens).</returns>
    public static Shape UniformsShape(DropPattern pattern, int batch)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return pattern.Kind == DropKind.Structured
            ? new Shape(batch, pattern.Tokens / (pattern.GroupSize * pattern.GroupSize), pattern.GroupSize * pattern.GroupSize)
            : new Shape(batch, pattern.Tokens);
    }

    /// <summary>Chooses kept tokens by uniforms in [0, 1).</summary>
    /// <param name="uniforms">As many as <see cref="UniformsShape"/> says.</param>
    /// <param name="pattern">A structured or random pattern.</param>
    /// <returns>Ids (batch, M) int32, which the caller disposes.</returns>
    public static Tensor Select(Tensor uniforms, DropPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        Require.That(pattern.Kind != DropKind.None, Name, "a pattern that keeps every token selects none");
        Require.Floats(uniforms, uniforms.Device, Name, "the uniforms");
        int batch = uniforms.Shape[0];
        Shape expected = UniformsShape(pattern, batch);
        Require.That(uniforms.Count == expected.Count, Name, $"uniforms of shape {uniforms.Shape} do not fit {expected}");
        Device device = uniforms.Device;
        using Tensor ids = device.Allocate(new Shape(batch, pattern.KeptTokens), ElementType.Int32);
        if (device.Dispatch(new OperationCost(Name, 0, 0, uniforms.Bytes, ids.Bytes)))
        {
            device.Kernels<ITokenDropKernels>().Select(uniforms, pattern, ids);
        }

        return ids.Retain();
    }

    /// <summary>For each token of the full grid the row of its kept copy among batch * M rows, or -1.</summary>
    /// <param name="device">Where to compute, as both inputs may be absent.</param>
    /// <param name="batch">Samples.</param>
    /// <param name="tokens">N.</param>
    /// <param name="ids">(batch, M) int32, or empty where all tokens are kept in place.</param>
    /// <param name="pathDrop">(batch) int32: 1 where a sample loses its whole sparse path; or empty.</param>
    /// <returns>(batch, N) int32, which the caller disposes.</returns>
    public static Tensor Locate(Device device, int batch, int tokens, Tensor ids, Tensor pathDrop)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (!ids.IsEmpty)
        {
            Require.Rank(ids, 2, Name, "the ids");
            Require.Length(ids, 0, batch, Name, "the ids");
            Require.Integers(ids, device, Name, "the ids");
        }

        if (!pathDrop.IsEmpty)
        {
            Require.SameShape(pathDrop, new Shape(batch), Name, "the path drops");
            Require.Integers(pathDrop, device, Name, "the path drops");
        }

        using Tensor rows = device.Allocate(new Shape(batch, tokens), ElementType.Int32);
        if (device.Dispatch(new OperationCost(Name, 0, 0, ids.Bytes, rows.Bytes)))
        {
            device.Kernels<ITokenDropKernels>().Locate(ids, pathDrop, rows);
        }

        return rows.Retain();
    }

    /// <summary>Gathers the kept rows: <c>y[b, k] = x[b, ids[b, k]]</c>.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x (batch, N, width).</param>
    /// <param name="ids">(batch, M) int32, no id twice in a sample.</param>
    /// <returns>y (batch, M, width), which the caller disposes.</returns>
    public static Tensor Gather(Tape? tape, Tensor input, Tensor ids)
    {
        Require.Rank(input, 3, Name, "the input");
        Require.Rank(ids, 2, Name, "the ids");
        Require.Length(ids, 0, input.Shape[0], Name, "the ids");
        Require.Numbers(input, Name, "the input");
        Require.Integers(ids, input.Device, Name, "the ids");
        Device device = input.Device;
        using Tensor output = device.Allocate(new Shape(input.Shape[0], ids.Shape[1], input.Shape[2]), input.ElementType);
        if (device.Dispatch(Cost(output.Bytes, output.Bytes)))
        {
            device.Kernels<ITokenDropKernels>().Gather(input, ids, output);
        }

        if (Tape.Records(tape, input))
        {
            var node = tape.Record<GatherNode>(output);
            node.Ids = ids.Retain();
            node.InputSlot = Tape.Slot(input);
        }

        return output.Retain();
    }

    /// <summary>Puts rows back into the full grid: <c>y[b, n] = x's row rows[b, n]</c>, or the fill where that is -1.</summary>
    /// <remarks>
    /// Training does not need it: <see cref="ResidualFusion"/> reads through the row map instead of a padded copy.
    /// </remarks>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="input">x (batch, M, width).</param>
    /// <param name="rows">(batch, N) int32 from <see cref="Locate"/>.</param>
    /// <param name="fill">(width): the mask token.</param>
    /// <returns>y (batch, N, width), which the caller disposes.</returns>
    public static Tensor Scatter(Tape? tape, Tensor input, Tensor rows, Tensor fill)
    {
        Require.Rank(input, 3, Name, "the input");
        Require.Numbers(input, Name, "the input");
        Require.Like(fill, input, Name, "the fill", "the input");
        Require.Integers(rows, input.Device, Name, "the row map");
        Require.Rank(rows, 2, Name, "the row map");
        Require.That(fill.Count == input.Shape[2], Name, $"a fill of shape {fill.Shape} does not fit rows of {input.Shape[2]} elements");
        Device device = input.Device;
        using Tensor output = device.Allocate(new Shape(rows.Shape[0], rows.Shape[1], input.Shape[2]), input.ElementType);
        if (device.Dispatch(Cost(input.Bytes, output.Bytes)))
        {
            device.Kernels<ITokenDropKernels>().Scatter(input, rows, fill, output);
        }

        if (Tape.Records(tape, input, fill))
        {
            var node = tape.Record<ScatterNode>(output);
            node.Rows = rows.Retain();
            node.InputSlot = Tape.Slot(input);
            node.FillSlot = Tape.Slot(fill);
        }

        return output.Retain();
    }

    private static OperationCost Cost(long read, long written) => new(Name, 0, 0, read, written);

    private sealed class GatherNode : TapeNode
    {
        internal Tensor Ids { get; set; }

        internal GradientSlot InputSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor inputGradient = InputSlot.ZeroedBuffer(gradient.ElementType);
            if (gradient.Device.Dispatch(Cost(2 * gradient.Bytes, gradient.Bytes)))
            {
                gradient.Device.Kernels<ITokenDropKernels>().GatherBackward(gradient, Ids, inputGradient);
            }
        }

        protected internal override void Release()
        {
            Ids.Dispose();
            Tape.Release(InputSlot);
        }
    }

    private sealed class ScatterNode : TapeNode
    {
        internal Tensor Rows { get; set; }

        internal GradientSlot InputSlot { get; set; }

        internal GradientSlot FillSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor inputGradient = InputSlot.IsWanted ? InputSlot.ZeroedBuffer(gradient.ElementType) : default;
            Tensor fillGradient = FillSlot.IsWanted ? FillSlot.ZeroedBuffer(gradient.ElementType) : default;
            if (gradient.Device.Dispatch(Cost(gradient.Bytes, inputGradient.Bytes)))
            {
                gradient.Device.Kernels<ITokenDropKernels>().ScatterBackward(gradient, Rows, inputGradient, fillGradient);
            }
        }

        protected internal override void Release()
        {
            Rows.Dispose();
            Tape.Release(InputSlot);
            Tape.Release(FillSlot);
        }
    }
}
