using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sprint.Engine.Cuda;

/// <summary>What the folder of prebuilt PTX holds: kernels/prebuilt/manifest.json.</summary>
/// <param name="Compiler">The NVRTC version that made it.</param>
/// <param name="Architecture">The PTX's architecture.</param>
/// <param name="Kernels">One entry a specialisation, in the catalogue's order.</param>
internal sealed record PrebuiltManifest(string Compiler, int Architecture, IReadOnlyList<PrebuiltKernel> Kernels)
{
    /// <summary>The manifest's file name.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="SprintException">The file is no manifest.</exception>
    public static PrebuiltManifest Parse(ReadOnlySpan<byte> json, string origin)
    {
        try
        {
            return JsonSerializer.Deserialize(json, PrebuiltManifestContext.Default.PrebuiltManifest)
                ?? throw new SprintException($"{origin} is empty: {PrebuiltKernels.Advice}.");
        }
        catch (JsonException failure)
        {
            throw new SprintException($"{origin} is no manifest of prebuilt kernels ({failure.Message}): {PrebuiltKernels.Advice}.", failure);
        }
    }

    /// <summary>Writes the manifest as JSON, with line feeds on every system.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PrebuiltManifestContext.Default.PrebuiltManifest).ReplaceLineEndings("\n") + "\n";
}

/// <summary>One prebuilt specialisation.</summary>
/// <param name="File">The PTX file beside the manifest.</param>
/// <param name="Source">The source below kernels/.</param>
/// <param name="Macros">The macros as NAME=VALUE, in order.</param>
/// <param name="SourceHash">Hash of source, headers, macros and compiler options.</param>
/// <param name="PtxHash">Hash of the PTX, in hexadecimal SHA-256.</param>
internal sealed record PrebuiltKernel(string File, string Source, IReadOnlyList<string> Macros, string SourceHash, string PtxHash);

/// <summary>Serialisation without reflection.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PrebuiltManifest))]
internal sealed partial class PrebuiltManifestContext : JsonSerializerContext;
