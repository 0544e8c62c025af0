using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Network;

namespace Sprint.Model.Verification;

/// <summary>
/// A forward pass with every intermediate result. In the path-drop file the second half of the batch runs encoder and decoder
/// only; here the halves are two passes whose results are put together.
/// </summary>
internal sealed class GoldenForward(Device device, Func<bool, SprintTransformer> loadModel, SafetensorsFile file)
{
    private readonly Dictionary<string, List<float>> observed = new(StringComparer.Ordinal);

    internal GoldenCase Run(string name)
    {
        using SprintTransformer model = loadModel(false);
        int batch = GoldenData.ShapeOf(file, "x")[0];
        bool pathDrop = name == "forward_pdg";
        RequireBatch("t", batch);
        int[] labels = file.Labels("y", model.Configuration);
        RequireBatch("y", batch);
        if (pathDrop && batch < 2)
        {
            throw new SprintException($"{file.Path}: tensor 'x' has {batch} sample, but the path-drop case needs one of each kind");
        }

        using Tensor kept = file.KeptIdsOrEmpty(device, "ids_keep", model.Configuration);
        if (pathDrop)
        {
            Pass(model, labels, 0, batch / 2, TokenSelection.Dense);
            Pass(model, labels, batch / 2, batch, TokenSelection.PathDropped);
        }
        else
        {
            Pass(model, labels, 0, batch, new TokenSelection(kept, default, false));
        }

        _ = file.Find("output");
        var comparisons = new List<TensorComparison>();
        foreach (SafetensorsEntry entry in file.Entries)
        {
            string key = entry.Name.StartsWith("act.", StringComparison.Ordinal) ? entry.Name[4..] : entry.Name;
            if (observed.TryGetValue(key, out List<float>? actual))
            {
                float[] expected = file.ReadFloats(entry.Name);
                comparisons.Add(TensorComparison.Absolute(entry.Name, actual.ToArray(), expected, GoldenTolerances.Output));
            }
            else if (entry.Name.StartsWith("act.", StringComparison.Ordinal))
            {
                throw new SprintException($"{file.Path}: nothing here computes '{entry.Name}'");
            }
        }

        GoldenRope.Compare(model.Configuration, file, comparisons);
        return new GoldenCase(name, comparisons);
    }

    private void Pass(SprintTransformer model, int[] labels, int first, int end, TokenSelection selection)
    {
        using Tensor image = Rows("x", first, end);
        using Tensor times = Rows("t", first, end);
        using Tensor classes = device.From(new Shape(end - first), labels.AsSpan(first..end));
        using Tensor output = model.Forward(null, image, times, classes, selection, new Observer(observed));
        new Observer(observed).Observe("output", output);
    }

    private void RequireBatch(string name, int batch)
    {
        int length = GoldenData.ShapeOf(file, name)[0];
        if (length != batch)
        {
            throw new SprintException($"{file.Path}: tensor '{name}' is of {length} samples, 'x' of {batch}");
        }
    }

    private Tensor Rows(string name, int first, int end)
    {
        Shape shape = GoldenData.ShapeOf(file, name);
        int row = (int)(shape.Count / shape[0]);
        float[] values = file.ReadFloats(name)[(first * row)..(end * row)];
        Span<int> lengths = stackalloc int[shape.Rank];
        for (int i = 0; i < shape.Rank; i++)
        {
            lengths[i] = i == 0 ? end - first : shape[i];
        }

        return device.From(new Shape(lengths), values);
    }

    private sealed class Observer(Dictionary<string, List<float>> observed) : IActivationObserver
    {
        public void Observe(string name, Tensor value)
        {
            if (!observed.TryGetValue(name, out List<float>? values))
            {
                observed.Add(name, values = []);
            }

            values.AddRange(value.ToArray());
        }
    }
}
