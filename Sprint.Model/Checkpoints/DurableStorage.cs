using System.Runtime.InteropServices;

namespace Sprint.Model.Checkpoints;

/// <summary>
/// Flushes folders to disk. A rename is durable only when the folder that holds the name has been flushed; .NET has no call for it.
/// </summary>
internal static partial class DurableStorage
{
    /// <summary>
    /// Flushes a folder's list of names. Windows needs no such call, and some network file systems refuse it:
    /// a refusal is not an error, since the file's contents have been flushed by then.
    /// </summary>
    public static void FlushFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        try
        {
            int descriptor = Open(path, 0);
            if (descriptor < 0)
                return;
            _ = Synchronize(descriptor);
            _ = Close(descriptor);
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            // A system whose C library goes by another name: the same as one that refuses.
        }
    }

    /// <summary>Flushes every file below a folder, then every folder, the deepest first.</summary>
    public static void FlushTree(string path)
    {
        foreach (string folder in Directory.EnumerateDirectories(path))
            FlushTree(folder);
        foreach (string file in Directory.EnumerateFiles(path))
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
            stream.Flush(flushToDisk: true);
        }

        FlushFolder(path);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
