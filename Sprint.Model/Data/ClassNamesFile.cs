using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Data;

/// <summary>The classes' names of a folder: the lines of <c>classes.txt</c>, one for each label from 0.</summary>
internal static class ClassNamesFile
{
    private const string Name = "classes.txt";

    /// <summary>Reads a folder's names; without a file the labels themselves, from 0 to the largest.</summary>
    /// <exception cref="SprintException">The file cannot be read, holds an empty line, or names fewer classes than there are labels.</exception>
    public static string[] Read(string folder, int largestLabel)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
            return [.. Enumerable.Range(0, largestLabel + 1).Select(label => label.ToString())];
        string[] names;
        try
        {
            names = File.ReadAllLines(path);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }

        int empty = Array.FindIndex(names, string.IsNullOrWhiteSpace);
        if (empty >= 0)
            throw new SprintException($"line {empty + 1} of '{path}' is empty: it must hold one class name on each line");
        return Array.ConvertAll(names, name => name.Trim());
    }
}
