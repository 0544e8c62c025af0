namespace Sprint.Engine.Operations;

/// <summary>
/// Rows of a table by label: table (classes + 1, width), the last row for the null class; labels (batch) int32; result
/// (batch, width). On the CPU a label outside the table is refused.
/// Errors: <see cref="ArgumentException"/>. Source: SPRINT.md section 2.
/// </summary>
public static class LabelEmbedding
{
    private const string Name = "label embedding";

    /// <summary>Looks labels up.</summary>
    /// <param name="tape">Where to record, or null in inference.</param>
    /// <param name="table">(rows, width).</param>
    /// <param name="labels">(batch) int32, each from 0 to rows - 1.</param>
    /// <returns>(batch, width), which the caller disposes.</returns>
    public static Tensor Apply(Tape? tape, Tensor table, Tensor labels)
    {
        Require.Numbers(table, Name, "the table");
        Require.Integers(labels, table.Device, Name, "the labels");
        Require.Rank(table, 2, Name, "the table");
        Require.Rank(labels, 1, Name, "the labels");
        Device device = table.Device;
        using Tensor output = device.Allocate(new Shape(labels.Shape[0], table.Shape[1]), table.ElementType);
        if (device.Dispatch(Cost(output, reads: 1, flopsPerElement: 0)))
        {
            device.Kernels<ILabelEmbeddingKernels>().Forward(table, labels, output);
        }

        if (Tape.Records(tape, table))
        {
            var node = tape.Record<LabelEmbeddingNode>(output);
            node.Labels = labels.Retain();
            node.TableSlot = Tape.Slot(table);
        }

        return output.Retain();
    }

    private static OperationCost Cost(Tensor rows, int reads, int flopsPerElement) =>
        new(Name, 0, rows.Count * flopsPerElement, rows.Bytes * reads, rows.Bytes);

    private sealed class LabelEmbeddingNode : TapeNode
    {
        internal Tensor Labels { get; set; }

        internal GradientSlot TableSlot { get; set; }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor tableGradient = TableSlot.ZeroedBuffer(gradient.ElementType);
            if (gradient.Device.Dispatch(Cost(gradient, reads: 2, flopsPerElement: 1)))
            {
                gradient.Device.Kernels<ILabelEmbeddingKernels>().Backward(gradient, Labels, tableGradient);
            }
        }

        protected internal override void Release()
        {
            Labels.Dispose();
            Tape.Release(TableSlot);
        }
    }
}

/// <summary>What a device does for <see cref="LabelEmbedding"/>.</summary>
public interface ILabelEmbeddingKernels
{
    /// <summary><c>output[b] = table[labels[b]]</c>.</summary>
    /// <param name="table">(rows, width).</param>
    /// <param name="labels">(batch) int32.</param>
    /// <param name="output">(batch, width), overwritten.</param>
    void Forward(Tensor table, Tensor labels, Tensor output);

    /// <summary><c>tableGradient[labels[b]] += gradient[b]</c>, in the order of the samples.</summary>
    /// <param name="gradient">(batch, width).</param>
    /// <param name="labels">(batch) int32.</param>
    /// <param name="tableGradient">(rows, width), added to.</param>
    void Backward(Tensor gradient, Tensor labels, Tensor tableGradient);
}
