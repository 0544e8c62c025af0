using System.Text.Json;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Verification;

/// <summary>One case of a sampling file: the guidance that its metadata <c>cases</c> give it.</summary>
internal sealed record GoldenSamplingCase(string Name, bool PathDrop, double Scale, double Low, double High)
{
    private const string Key = "cases";

    /// <summary>Reads the cases of a file, an object of objects.</summary>
    internal static IReadOnlyList<GoldenSamplingCase> ReadAll(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(Key, out string? text))
        {
            throw new SprintException($"{file.Path}: the metadata lack '{Key}'");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.EnumerateObject().Any())
            {
                throw new SprintException($"{file.Path}: the metadata '{Key}' must be a JSON object with an entry for each case");
            }

            return [.. root.EnumerateObject().Select(property => Read(file, property))];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // An invalid operation is a text whose escapes are no Unicode.
            throw new SprintException($"{file.Path}: the metadata '{Key}' are no JSON: {exception.Message}", exception);
        }
    }

    private static GoldenSamplingCase Read(SafetensorsFile file, JsonProperty property)
    {
        JsonElement settings = property.Value;
        if (settings.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("the case", "a JSON object", settings);
        }

        return new GoldenSamplingCase(
            property.Name, Flag("path_drop_guidance"), Number("cfg_scale", 1), Number("guidance_low", 0), Number("guidance_high", 1));

        bool Flag(string key) => settings.TryGetProperty(key, out JsonElement value) && value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong($"'{key}'", "true or false", value),
        };

        double Number(string key, double otherwise) =>
            !settings.TryGetProperty(key, out JsonElement value) ? otherwise
            : value.ValueKind == JsonValueKind.Number ? value.GetDouble()
            : throw Wrong($"'{key}'", "a number", value);

        SprintException Wrong(string what, string wanted, JsonElement value) =>
            new($"{file.Path}: {what} of '{property.Name}' in the metadata '{Key}' must be {wanted}, not {value.GetRawText()}");
    }
}
