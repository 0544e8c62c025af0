using System.Text.Json;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;

namespace Sprint.Model.Verification;

/// <summary>Reads the model's configuration from a golden folder's <c>config.json</c>.</summary>
public static class GoldenConfiguration
{
    private const string Section = "constructor_resolved";

    /// <summary>Reads the configuration.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The configuration, not yet validated.</returns>
    /// <exception cref="SprintException">The file cannot be read, lacks a value, or asks for what is not built.</exception>
    public static ModelConfiguration Read(string path)
    {
        JsonElement arguments;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty(Section, out JsonElement section)
                || section.ValueKind != JsonValueKind.Object)
            {
                throw new SprintException($"{path}: there is no section '{Section}'");
            }

            arguments = section.Clone();
        }
        catch (JsonException exception)
        {
            throw new SprintException($"{path}: cannot be read as JSON: {exception.Message}", exception);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }

        var reader = new Reader(path, arguments);
        reader.Refuse("learn_sigma", "a predicted variance", false);
        reader.Refuse("qkv_bias", "attention without biases", true);
        reader.Refuse("ffn_bias", "an MLP without biases", true);
        reader.Refuse("adaln_bias", "modulation without biases", true);
        bool aligns = reader.Flag("representation_align");
        var model = new ModelConfiguration
        {
            ContextSize = reader.Integer("context_size"),
            PatchSize = reader.Integer("patch_size"),
            InChannels = reader.Integer("in_channels"),
            NumClasses = reader.Integer("num_classes"),
            HiddenSize = reader.Integer("hidden_size"),
            NumHeads = reader.Integer("num_heads"),
            MlpRatio = reader.Number("mlp_ratio"),
            EncoderDepth = reader.Integer("encoder_depth"),
            MiddleDepth = reader.Integer("middle_depth"),
            DecoderDepth = reader.Integer("decoder_depth"),
            QNorm = reader.Text("q_norm"),
            KNorm = reader.Text("k_norm"),
            RopeTheta = reader.Number("rope_theta"),
            ClassDropoutProb = reader.Number("class_dropout_prob"),
            CfgMaskProb = reader.Number("cfg_mask_prob"),
            UseSwiglu = reader.Flag("use_swiglu"),
            AdalnType = reader.Text("adaln_type") ?? "normal",

            // Where nothing reads them the reference takes any values.
            UseSwigluLarge = !reader.Flag("use_swiglu") || reader.Flag("use_swiglu_large"),
            AdalnLoraDim = reader.Text("adaln_type") == "lora" ? reader.Integer("adaln_lora_dim") : null,
            RepresentationAlign = aligns,
            UseMaskRestore = reader.Flag("use_mask_restore"),
            ResidualType = reader.Text("residual_type") ?? "",
        };
        return !aligns ? model : model with
        {
            RepresentationDepth = reader.Integer("representation_depth"),
            DimProjection = reader.Integer("dim_projection"),
            ProjectorHiddenDim = reader.Integer("projector_hidden_dim"),
        };
    }

    private sealed class Reader(string path, JsonElement section)
    {
        internal int Integer(string key) => Value(key) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out int number)
            ? number
            : throw Wrong(key, "an integer");

        internal double Number(string key) => Value(key) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : throw Wrong(key, "a number");

        internal bool Flag(string key) => Value(key).ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(key, "true or false"),
        };

        internal string? Text(string key) => Value(key).ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => Unescape(key) is { } text && !text.Equals("none", StringComparison.OrdinalIgnoreCase) ? text : null,
            _ => throw Wrong(key, "a text or null"),
        };

        private string? Unescape(string key)
        {
            try
            {
                return Value(key).GetString();
            }
            catch (InvalidOperationException exception)
            {
                throw new SprintException($"{path}: '{key}' has escapes that are no Unicode text: {Value(key).GetRawText()}", exception);
            }
        }

        internal void Refuse(string key, string what, bool built)
        {
            if (section.TryGetProperty(key, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
                && value.GetBoolean() != built)
            {
                throw new SprintException($"{path}: {key}: {value} ({what}) is not built");
            }
        }

        private JsonElement Value(string key) =>
            section.TryGetProperty(key, out JsonElement value) ? value : throw new SprintException($"{path}: '{key}' is missing in '{Section}'");

        private SprintException Wrong(string key, string wanted) => new($"{path}: '{key}' must be {wanted}, not {Value(key).GetRawText().Trim('"')}");
    }
}
