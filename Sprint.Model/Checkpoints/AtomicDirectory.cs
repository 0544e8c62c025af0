using Sprint.Engine;

namespace Sprint.Model.Checkpoints;

/// <summary>
/// Writes a folder of several files so that its path holds either all of the old ones or all of the new ones:
/// they are written to a temporary folder beside it, flushed to disk, then the folder is renamed.
/// One process at a time may write into a folder.
/// </summary>
public static class AtomicDirectory
{
    /// <summary>
    /// What the name of a replaced folder ends with between the two renames of a replacement. A process killed just there leaves
    /// no folder of the proper name; <see cref="CleanUp"/> puts the old one back.
    /// </summary>
    internal const string ReplacedSuffix = ".sprint-old";

    /// <summary>Writes the folder <paramref name="path"/> atomically, replacing one that exists.</summary>
    /// <param name="path">The folder to create or replace.</param>
    /// <param name="write">Writes the files into the folder whose path it is given; it must have closed them when it returns.</param>
    /// <exception cref="SprintException">
    /// The folder could not be written (disk full, no permission): the old folder is as it was, and the temporary one is gone.
    /// </exception>
    public static void Write(string path, Action<string> write)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(write);
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string folder = Path.GetDirectoryName(target) ?? throw new SprintException($"cannot write '{path}': it is the root of a disk");
        string part = AtomicFile.PartPath(target);
        bool finished = false;
        try
        {
            if (File.Exists(target))
                throw new SprintException($"cannot write the folder '{path}': a file of that name exists");
            Directory.CreateDirectory(folder);
            if (Directory.Exists(part))
                Directory.Delete(part, recursive: true);
            Directory.CreateDirectory(part);
            write(part);
            DurableStorage.FlushTree(part);
            Replace(part, target);
            finished = true;
            DurableStorage.FlushFolder(folder);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("write the folder", path, exception);
        }
        finally
        {
            if (!finished)
                TryDelete(part);
        }
    }

    /// <summary>
    /// Removes what killed processes left in a folder: temporary files and folders; and puts back a folder whose replacement
    /// was interrupted between its two renames. Call it when a run starts, before anything is written.
    /// </summary>
    /// <param name="folder">The folder to look into, not below; one that does not exist is left alone.</param>
    /// <exception cref="SprintException">Something could not be removed.</exception>
    public static void CleanUp(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        try
        {
            foreach (string old in Directory.GetDirectories(folder, $".*{ReplacedSuffix}"))
            {
                string target = Path.Combine(folder, Path.GetFileName(old)[1..^ReplacedSuffix.Length]);
                if (Directory.Exists(target))
                    Directory.Delete(old, recursive: true);
                else
                    Directory.Move(old, target);
            }

            foreach (string part in Directory.GetDirectories(folder, $".*{AtomicFile.PartSuffix}"))
                Directory.Delete(part, recursive: true);
            foreach (string part in Directory.GetFiles(folder, $".*{AtomicFile.PartSuffix}"))
                File.Delete(part);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("clean up", folder, exception);
        }
    }

    private static void Replace(string part, string target)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(part, target);
            return;
        }

        string old = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}{ReplacedSuffix}");
        if (Directory.Exists(old))
            Directory.Delete(old, recursive: true);
        Directory.Move(target, old);
        try
        {
            Directory.Move(part, target);
        }
        catch
        {
            Directory.Move(old, target);
            throw;
        }

        TryDelete(old);
    }

    private static void TryDelete(string path)
    {
        try
        {
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            // The first error is the one to report; CleanUp or the next write of the same folder removes what is left.
        }
    }
}
