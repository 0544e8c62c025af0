namespace Sprint.Train;

/// <summary>Finds the files that come with the project from wherever the command is called.</summary>
internal static class ProjectFiles
{
    /// <summary>
    /// A path as given where it exists; else the same path below the nearest folder above the program that has it; else as given.
    /// </summary>
    internal static string Find(string path)
    {
        if (path.Length == 0 || Path.Exists(path) || Path.IsPathRooted(path))
        {
            return path;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, path);
            if (Path.Exists(candidate))
            {
                return candidate;
            }
        }

        return path;
    }
}
