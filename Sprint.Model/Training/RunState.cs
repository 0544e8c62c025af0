using System.Text.Json;
using System.Text.Json.Serialization;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Data;

namespace Sprint.Model.Training;

/// <summary>Where a run is: beside the tensors, all that is needed to go on with the same bits.</summary>
public sealed record RunState
{
    private const int CurrentVersion = 2;
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>Version of the file's form.</summary>
    [JsonRequired]
    public int Version { get; set; } = CurrentVersion;

    /// <summary>What the run learns from: number, size and labels of the images, to know them again.</summary>
    [JsonRequired]
    public string Data { get; set; } = "";

    /// <summary>Steps of the run done.</summary>
    [JsonRequired]
    public long Step { get; set; }

    /// <summary>The stage that the next step belongs to, from 0; the number of stages when all are done.</summary>
    [JsonRequired]
    public int Stage { get; set; }

    /// <summary>Steps of that stage done.</summary>
    [JsonRequired]
    public long StageStep { get; set; }

    /// <summary>Updates since the moments were zero.</summary>
    [JsonRequired]
    public long OptimizerStep { get; set; }

    /// <summary>Epoch of the next image.</summary>
    [JsonRequired]
    public long Epoch { get; set; }

    /// <summary>Place of the next image in its epoch.</summary>
    [JsonRequired]
    public int EpochIndex { get; set; }

    /// <summary>Images seen.</summary>
    [JsonRequired]
    public long Images { get; set; }

    /// <summary>What each stage has cost.</summary>
    [JsonRequired]
    public IList<StageAccount> Accounts { get; init; } = [];

    /// <summary>The next image's place.</summary>
    internal DataPosition Position
    {
        get => new(Epoch, EpochIndex);
        set => (Epoch, EpochIndex) = (value.Epoch, value.Index);
    }

    /// <summary>Reads a state.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SprintException">It cannot be read or is no state.</exception>
    public static RunState Load(string path)
    {
        try
        {
            RunState? state = JsonSerializer.Deserialize<RunState>(File.ReadAllBytes(path), Json);
            return state is { Version: CurrentVersion, Data: not null, Step: >= 0, Stage: >= 0, StageStep: >= 0, OptimizerStep: >= 0, Epoch: >= 0, EpochIndex: >= 0, Accounts: not null }
                && !state.Accounts.Contains(null!)
                ? state
                : throw new SprintException($"{path}: this is no state of a training run of version {CurrentVersion}");
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }
        catch (JsonException exception)
        {
            throw new SprintException($"{path}: this is no state of a training run: {exception.Message}", exception);
        }
    }

    /// <summary>Writes the state atomically.</summary>
    /// <param name="path">The file.</param>
    public void Save(string path) => AtomicFile.WriteBytes(path, JsonSerializer.SerializeToUtf8Bytes(this, Json));
}
