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
    private readonly Precision precision;

    /// <summary>Opens a folder.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="precision">
    /// In what to compute. In low precision every case also runs by the plain implementation (<see cref="CpuDevice.WithPlainBFloat16"/>), and an error
    /// may be twice its error, thrice for gradients; what is float32 still is compared as in float32.
    /// </param>
    /// <exception cref="SprintException">
    /// The folder or its configuration cannot be read, or asks for what is not built; or the device does not compute in the precision.
    /// </exception>
    public GoldenVerifier(Device device, string folder, Precision precision = Precision.Fp32)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(folder);
        precision.RequireOn(device);
        this.precision = precision;
        string configuration = Path.Combine(folder, "config.json");
        if (!File.Exists(configuration))
        {
            string fault = Directory.Exists(folder) ? $"folder '{folder}' has no config.json, so it holds no reference's numbers" : $"there is no folder '{folder}'";
            throw new SprintException($"{fault}: give one with config.json, weights.safetensors and case files (forward_*, train_* or sample_*.safetensors)");
        }

        this.device = device;
        this.folder = folder;
        Configuration = GoldenConfiguration.Read(configuration);
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
        IReadOnlyList<GoldenCase> results = Run(device, file);
        if (precision == Precision.Fp32)
        {
            return results;
        }

        using var plainDevice = CpuDevice.WithPlainBFloat16();
        return [.. results.Zip(Run(plainDevice, file), static (result, plain) => result.Beside(plain))];
    }

    private IReadOnlyList<GoldenCase> Run(Device where, string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        try
        {
            using SafetensorsFile data = SafetensorsFile.Open(file);
            return name switch
            {
                "train_3steps" => new GoldenOptimizerSteps(where, Load, data).Run(name),
                _ when name.StartsWith("forward_", StringComparison.Ordinal) => [new GoldenForward(where, Load, data).Run(name)],
                _ when name.StartsWith("train_", StringComparison.Ordinal) => [new GoldenTrainingPass(where, Load, data).Run(name)],
                _ when name.StartsWith("sample_", StringComparison.Ordinal) => new GoldenSampling(Load, data).Run(name),
                _ => [Failed(name, "the file name says no known case (forward_*, train_*, sample_*)")],
            };
        }
        catch (Exception exception) when (exception is SprintException or ArgumentException)
        {
            // An argument is at fault where the file's shapes do not fit the model's: the message names operation and shape.
            return [Failed(name, exception.Message)];
        }

        SprintTransformer Load(bool trainMaskToken) => LoadModel(where, trainMaskToken);
    }

    private static GoldenCase Failed(string name, string why) => new(name, []) { Failure = why };

    private SprintTransformer LoadModel(Device where, bool trainMaskToken)
    {
        var model = new SprintTransformer(where, Configuration with { TrainMaskToken = trainMaskToken }, precision: precision);
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
