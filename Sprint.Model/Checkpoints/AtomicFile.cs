using Sprint.Engine;

namespace Sprint.Model.Checkpoints;

/// <summary>
/// Writes a file so that, whatever happens, its path holds either the whole old content or the whole new content:
/// a temporary file in the same folder, flushed to disk, then renamed over the target.
/// </summary>
public static class AtomicFile
{
    /// <summary>
    /// What a temporary file or folder's name ends with; the name is <c>.NAME.sprint-part</c>, hidden and the same on every try,
    /// so that what a killed process left behind is overwritten by the next write and never piles up.
    /// </summary>
    internal const string PartSuffix = ".sprint-part";

    /// <summary>Writes <paramref name="path"/> atomically, creating its folder where missing.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="write">Writes the content to the stream that it is given; it must not close it.</param>
    /// <exception cref="SprintException">
    /// The file could not be written (disk full, no permission, another process writing it): the old file is as it was,
    /// and the temporary file is gone.
    /// </exception>
    public static void Write(string path, Action<Stream> write) => Write(path, write, OpenPart);

    /// <summary>Writes a text file in UTF-8 without a byte order mark, atomically.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="text">The whole content.</param>
    /// <exception cref="SprintException">As for <see cref="Write(string, Action{Stream})"/>.</exception>
    public static void WriteText(string path, string text) => WriteBytes(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a file of the given bytes, atomically.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="content">The whole content.</param>
    /// <exception cref="SprintException">As for <see cref="Write(string, Action{Stream})"/>.</exception>
    public static void WriteBytes(string path, byte[] content)
    {
        ArgumentNullException.ThrowIfNull(content);
        Write(path, stream => stream.Write(content));
    }

    /// <summary>Refuses a path that could not be written, before long work is done for it. Creates its folder where missing and leaves what the path holds alone.</summary>
    /// <param name="path">The file that is to be created or replaced.</param>
    /// <exception cref="SprintException">As for <see cref="Write(string, Action{Stream})"/>, or the path is empty.</exception>
    public static void RequireWritable(string path)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new SprintException($"cannot write '{path}': a file needs a name");
        string part = PartPath(Path.GetFullPath(path));
        try
        {
            if (Directory.Exists(path))
                throw new SprintException($"cannot write '{path}': it is a folder");
            if (Path.GetDirectoryName(part) is { Length: > 0 } folder)
                Directory.CreateDirectory(folder);
            OpenPart(part).Dispose();
            File.Delete(part);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("write", path, exception);
        }
    }

    /// <summary>As <see cref="Write(string, Action{Stream})"/>, with the way the temporary file is opened chosen by the caller.</summary>
    internal static void Write(string path, Action<Stream> write, Func<string, Stream> open)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(write);
        string target = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(target) ?? throw new SprintException($"cannot write '{path}': it is the root of a disk");
        string part = PartPath(target);
        bool owned = false;
        try
        {
            if (Directory.Exists(target))
                throw new SprintException($"cannot write '{path}': it is a folder");
            Directory.CreateDirectory(folder);
            using (Stream stream = open(part))
            {
                owned = true;
                write(stream);
                if (stream is FileStream file)
                    file.Flush(flushToDisk: true);
                else
                    stream.Flush();
            }

            File.Move(part, target, overwrite: true);
            owned = false;
            DurableStorage.FlushFolder(folder);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("write", path, exception);
        }
        finally
        {
            if (owned)
                TryDelete(part);
        }
    }

    /// <summary>The temporary name beside a file or folder.</summary>
    internal static string PartPath(string target) =>
        Path.Combine(Path.GetDirectoryName(target) ?? "", $".{Path.GetFileName(target)}{PartSuffix}");

    private static FileStream OpenPart(string path) => new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            // The first error is the one to report; the next write of the same file overwrites what is left.
        }
    }
}
