using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Checkpoints;
using Sprint.Model.Network;
using Sprint.Model.Objective;

namespace Sprint.Model.Verification;

/// <summary>One loss and its gradients, from given noise, times, masks and path drops.</summary>
internal sealed class GoldenTrainingPass(Device device, Func<bool, SprintTransformer> loadModel, SafetensorsFile file)
{
    internal GoldenCase Run(string name)
    {
        bool masked = file.Contains("ids_keep");
        using SprintTransformer model = loadModel(file.Contains("extra_grad.mask_token"));
        using StepInputs inputs = ReadInputs(device, model, file, "");
        var comparisons = new List<TensorComparison>
        {
            TensorComparison.Absolute("t", inputs.Times.ToArray(), file.ReadFloats("t"), GoldenTolerances.Output),
        };
        if (masked)
        {
            comparisons.Add(TensorComparison.Equal("ids_keep", Integers(inputs.KeptIds), file.ReadInt32("ids_keep")));
        }

        using var tape = new Tape();
        using Tensor mixed = FlowMatching.Interpolate(inputs.Data, inputs.Noise, inputs.Times, FlowPath.Linear, out Tensor target);
        using Tensor goal = target;
        Tape.Watch(mixed);
        using Tensor output = model.Forward(
            tape, mixed, inputs.Times, inputs.Labels, new TokenSelection(inputs.KeptIds, inputs.PathDrop, false), out Tensor projected);
        using Tensor projection = projected;
        using StepLoss loss = inputs.Losses(tape, output, target, projection);
        using LossWeights weights = LossWeights.Of(model, GoldenProjection.Objective);
        loss.Backward(tape, weights);

        Output("model_input", mixed);
        Output("target", target);
        Output("output", output);
        Loss("denoising_loss", loss.Denoising.ToArray());
        if (!projection.IsEmpty)
        {
            Output("z_tilde", projection);
            comparisons.Add(GoldenProjection.Compare("proj_loss", loss.Projection.ToArray(), file.ReadFloats("proj_loss"), projection.Count));
            Loss("total_loss", [GoldenProjection.Total(loss)]);
        }

        double largest = file.Entries.Where(entry => entry.Name.StartsWith("grad.", StringComparison.Ordinal))
            .Max(entry => (double?)TensorComparison.Largest(file.ReadFloats(entry.Name))) ?? 0;
        comparisons.Add(Gradient("grad_model_input", Tape.GradientOf(mixed)));
        foreach (SafetensorsEntry entry in file.Entries)
        {
            string? parameter = entry.Name.StartsWith("grad.", StringComparison.Ordinal) ? entry.Name["grad.".Length..]
                : entry.Name.StartsWith("extra_grad.", StringComparison.Ordinal) ? entry.Name["extra_grad.".Length..]
                : null;
            if (parameter is not null)
            {
                Parameter found = model.Parameters.Find(parameter)
                    ?? throw new SprintException($"{file.Path}: '{entry.Name}' is the gradient of no parameter of the model");
                comparisons.Add(Gradient(entry.Name, found.Gradient).OfSums([]));
            }
        }

        RequireAllGradients(model);
        return new GoldenCase(name, comparisons);

        void Output(string key, Tensor actual) =>
            comparisons.Add(TensorComparison.Absolute(key, actual.ToArray(), file.ReadFloats(key), GoldenTolerances.Output));

        void Loss(string key, float[] actual)
        {
            float[] expected = file.ReadFloats(key);
            comparisons.Add(TensorComparison.Absolute(key, actual, expected, GoldenTolerances.Output).OfSums(expected));
        }

        TensorComparison Gradient(string key, Tensor actual) =>
            TensorComparison.OfLargest(key, actual.ToArray(), file.ReadFloats(key), GoldenTolerances.Gradient, largest);
    }

    /// <summary>
    /// The inputs of a step. The kept ids are selected from the stored uniforms where there are any, so that the selection is
    /// verified too.
    /// </summary>
    internal static StepInputs ReadInputs(Device device, SprintTransformer model, SafetensorsFile file, string prefix)
    {
        float[] times = [.. file.ReadFloats(prefix + "t_normal").Select(normal => StepSampler.Time(normal, FlowPath.Linear))];
        var inputs = default(StepInputs);
        try
        {
            inputs = inputs with { KeptIds = ReadKeptIds(device, model, file, prefix) };
            inputs = inputs with { Data = file.Floats(device, prefix + "x0") };
            inputs = inputs with { Noise = file.Floats(device, prefix + "noise") };
            inputs = inputs with { Times = device.From(new Shape(times.Length), times) };
            int[] labels = file.Labels(prefix + "y", model.Configuration);
            inputs = inputs with { Labels = device.From(new Shape(labels.Length), labels) };
            inputs = inputs with { PathDrop = file.PathDropOrEmpty(device, prefix + "path_drop") };
            return inputs with { Features = GoldenProjection.Features(model, file, prefix) };
        }
        catch
        {
            inputs.Dispose();
            throw;
        }
    }

    private static Tensor ReadKeptIds(Device device, SprintTransformer model, SafetensorsFile file, string prefix)
    {
        Tensor stored = file.KeptIdsOrEmpty(device, prefix + "ids_keep", model.Configuration);
        if (stored.IsEmpty || !file.Contains(prefix + "mask_rand"))
        {
            return stored;
        }

        int keptTokens = stored.Shape[1];
        stored.Dispose();
        int side = model.Configuration.GridSide;
        DropPattern pattern = DropPattern.Structured(side, side, 1 - ((double)keptTokens / model.Configuration.Tokens));
        if (pattern.Kind == DropKind.None)
        {
            return default;
        }

        using Tensor uniforms = file.Floats(device, prefix + "mask_rand");
        return TokenDrop.Select(uniforms, pattern);
    }

    /// <summary>A file that says it holds all gradients must do so: what is missing would not be compared.</summary>
    private void RequireAllGradients(SprintTransformer model)
    {
        if (file.Metadata.TryGetValue("grads_complete", out string? complete) && complete == "true")
        {
            foreach (Parameter parameter in model.Parameters.All)
            {
                if (parameter.Trainable && !file.Contains("grad." + parameter.Name) && !file.Contains("extra_grad." + parameter.Name))
                {
                    throw new SprintException($"{file.Path}: 'grad.{parameter.Name}' is missing, though the file says that it holds all gradients");
                }
            }
        }
    }

    private static int[] Integers(Tensor tensor)
    {
        if (tensor.IsEmpty)
        {
            return [];
        }

        var values = new int[tensor.Count];
        tensor.CopyTo<int>(values);
        return values;
    }
}
