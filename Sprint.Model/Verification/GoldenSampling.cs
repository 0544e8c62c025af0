using System.Text.Json;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Checkpoints;
using Sprint.Model.Network;
using Sprint.Model.Sampling;

namespace Sprint.Model.Verification;

/// <summary>The samplers' latents and the model's outputs at each step, for each case in the file's metadata.</summary>
internal sealed class GoldenSampling(Func<bool, SprintTransformer> loadModel, SafetensorsFile file)
{
    internal IReadOnlyList<GoldenCase> Run(string name)
    {
        SamplerKind kind = name switch
        {
            "sample_ode" => SamplerKind.Ode,
            "sample_sde" => SamplerKind.Sde,
            _ => throw new SprintException($"{file.Path}: sampler '{name["sample_".Length..]}' is not known: there are ode and sde"),
        };
        if (!file.Metadata.TryGetValue("cases", out string? cases))
        {
            throw new SprintException($"{file.Path}: the metadata lack 'cases'");
        }

        using SprintTransformer model = loadModel(false);
        try
        {
            using JsonDocument document = JsonDocument.Parse(cases);
            return [.. document.RootElement.EnumerateObject().Select(property => Run($"{name} {property.Name}", property, model, kind))];
        }
        catch (JsonException exception)
        {
            throw new SprintException($"{file.Path}: the metadata 'cases' are no JSON: {exception.Message}", exception);
        }
    }

    private GoldenCase Run(string name, JsonProperty settings, SprintTransformer model, SamplerKind kind)
    {
        var comparisons = new List<TensorComparison>();
        string key = settings.Name;
        bool pathDrop = settings.Value.TryGetProperty("path_drop_guidance", out JsonElement flag) && flag.GetBoolean();
        var outputs = new List<float>();
        var guided = new GuidedModel(model, file.ReadInt32("y"))
        {
            Guidance = pathDrop ? GuidanceKind.Pdg : GuidanceKind.Cfg,
            Scale = Number("cfg_scale", 1),
            Low = Number("guidance_low", 0),
            High = Number("guidance_high", 1),
            ModelEvaluated = (_, values) => outputs.AddRange(values.Span),
        };
        double[] state = [.. file.ReadFloats("latents").Select(value => (double)value)];
        var observer = new Observer(file, key, outputs, comparisons);
        float[] noise = kind == SamplerKind.Sde ? file.ReadFloats("noise") : [];
        Sampler.Run(guided, state, kind, (int)file.Number("num_steps"), FlowPath.Linear, Draw, observer);
        comparisons.Add(TensorComparison.Absolute($"{key}.t_model", observer.Times.ToArray(), file.ReadFloats($"{key}.t_model"), GoldenTolerances.Output));
        comparisons.Add(TensorComparison.Absolute($"{key}.final", Narrow(state), file.ReadFloats($"{key}.final"), GoldenTolerances.Latent));
        return new GoldenCase(name, comparisons);

        double Number(string property, double otherwise) =>
            settings.Value.TryGetProperty(property, out JsonElement value) ? value.GetDouble() : otherwise;

        void Draw(int step, Span<double> values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = noise[(step * values.Length) + i];
            }
        }
    }

    private static float[] Narrow(ReadOnlySpan<double> values)
    {
        var narrow = new float[values.Length];
        for (int i = 0; i < narrow.Length; i++)
        {
            narrow[i] = (float)values[i];
        }

        return narrow;
    }

    private sealed class Observer(SafetensorsFile file, string key, List<float> outputs, List<TensorComparison> comparisons)
        : ISamplerObserver
    {
        internal List<float> Times { get; } = [];

        public void Step(int step, double time, ReadOnlySpan<double> state)
        {
            Times.Add((float)time);
            comparisons.Add(TensorComparison.Absolute(
                $"{key}.step.{step}.x", Narrow(state), file.ReadFloats($"{key}.step.{step}.x"), GoldenTolerances.Latent));
            comparisons.Add(TensorComparison.Absolute(
                $"{key}.step.{step}.v", outputs.ToArray(), file.ReadFloats($"{key}.step.{step}.v"), GoldenTolerances.Output));
            outputs.Clear();
        }
    }
}
