using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;
using Sprint.Model.Network;

namespace Sprint.Model.Verification;

/// <summary>
/// Compares the engine with numbers of the reference implementation: reads a golden folder (<c>config.json</c>,
/// <c>weights.safetensors</c> and whichever <c>forward_*</c>, <c>train_*</c>, <c>sample_*</c> files it holds) and runs every case.
/// </summary>
public sealed class GoldenVerifier
{
    private readonly Device device;
    private readonly string folder;

    /// <summary>Opens a folder.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="SprintException">The folder or its configuration cannot be read, or asks for what is not built.</exception>
    public GoldenVerifier(Device device, string folder)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder))
        {
            throw new SprintException($"there is no folder '{folder}': give one with config.json, weights.safetensors and case files");
        }

        this.device = device;
        this.folder = folder;
        Configuration = GoldenConfiguration.Read(Path.Combine(folder, "config.json"));
        Configuration.Validate();
        CaseFiles = Directory.GetFiles(folder, "*.safetensors")
            .Where(file => Path.GetFileName(file) != "weights.safetensors")
            .Order(StringComparer.Ordinal)
            .ToArray();
        if (CaseFiles.Count == 0)
        {
            throw new SprintException($"folder '{folder}' holds no case files (forward_*, train_* or sample_*.safetensors)");
        }
    }

    /// <summary>The model that the folder describes.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>The case files, by name.</summary>
    public IReadOnlyList<string> CaseFiles { get; }

    /// <summary>Runs the cases of one file.</summary>
    /// <param name="file">One of <see cref="CaseFiles"/>.</param>
    /// <returns>One result, or one for each variant or sampler case in the file.</returns>
    public IReadOnlyList<GoldenCase> Run(string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        try
        {
            using SafetensorsFile data = SafetensorsFile.Open(file);
            return name switch
            {
                "train_3steps" => new GoldenOptimizerSteps(device, LoadModel, data).Run(name),
                _ when name.StartsWith("forward_", StringComparison.Ordinal) => [new GoldenForward(device, LoadModel, data).Run(name)],
                _ when name.StartsWith("train_", StringComparison.Ordinal) => [new GoldenTrainingPass(device, LoadModel, data).Run(name)],
                _ when name.StartsWith("sample_", StringComparison.Ordinal) => new GoldenSampling(LoadModel, data).Run(name),
                _ => [Failed(name, "the file name says no known case (forward_*, train_*, sample_*)")],
            };
        }
        catch (Exception exception) when (exception is SprintException or ArgumentException)
        {
            // An argument is at fault where the file's shapes do not fit the model's: the message names operation and shape.
            return [Failed(name, exception.Message)];
        }
    }

    private static GoldenCase Failed(string name, string why) => new(name, []) { Failure = why };

    private SprintTransformer LoadModel(bool trainMaskToken)
    {
        var model = new SprintTransformer(device, Configuration with { TrainMaskToken = trainMaskToken });
        try
        {
            using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(folder, "weights.safetensors"));
            ModelWeights.Load(weights, model.Parameters);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
