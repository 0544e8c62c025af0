using System.Text.Json;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Data;

/// <summary>Reads <c>dataset.json</c>: <c>{"labels": [["00000/img-mean-std-00000000.npy", 3], ...]}</c>.</summary>
internal static class LatentIndex
{
    public const string Name = "dataset.json";

    /// <exception cref="SprintException">The file cannot be read or is not of that form, or a name leads out of the folder.</exception>
    public static (string File, int Label)[] Read(string folder)
    {
        string path = Path.Combine(folder, Name);
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            using JsonDocument document = JsonDocument.Parse(stream);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("labels", out JsonElement labels)
                || labels.ValueKind != JsonValueKind.Array || labels.GetArrayLength() == 0)
            {
                throw new SprintException($"'{path}' has no list 'labels' of [file, label] pairs");
            }

            return [.. labels.EnumerateArray().Select((entry, index) => ReadEntry(path, entry, index))];
        }
        catch (JsonException exception)
        {
            throw new SprintException($"'{path}' is not valid JSON: {exception.Message}", exception);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }
    }

    private static (string File, int Label) ReadEntry(string path, JsonElement entry, int index)
    {
        const int mostClasses = 1_000_000;
        if (entry.ValueKind != JsonValueKind.Array || entry.GetArrayLength() != 2 || entry[0].ValueKind != JsonValueKind.String
            || entry[1].ValueKind != JsonValueKind.Number || !entry[1].TryGetInt32(out int label) || label is < 0 or >= mostClasses)
        {
            throw new SprintException($"entry {index} of 'labels' in '{path}' is not a pair of a file's name and a label from 0 to {mostClasses - 1}");
        }

        string file = entry[0].GetString()!;
        bool inside = file.Length > 0 && !Path.IsPathRooted(file) && !file.Split('/', '\\').Contains("..");
        return inside ? (file, label) : throw new SprintException($"entry {index} of 'labels' in '{path}' names '{file}', which is not inside the folder");
    }
}
