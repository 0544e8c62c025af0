using System.Security.Cryptography;
using System.Text;

namespace Sprint.Engine.Cuda;

/// <summary>
/// Compiled images on disk, one file a key. Several processes may use the folder at once: an entry is written beside its place and renamed
/// into it, so a reader sees a whole entry or none. Each entry ends in a hash of itself; one that does not fit is as good as missing.
/// A folder that cannot be written to costs time, never a result.
/// </summary>
internal sealed class KernelCache(string folder)
{
    private const string Extension = ".kernel";
    private const string Unfinished = ".tmp";
    private static readonly TimeSpan LongestWrite = TimeSpan.FromDays(1);
    private static readonly byte[] Signature = Encoding.ASCII.GetBytes("SPRINT kernel 1\n");

    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>Why the last entry could not be written, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>
    /// The folder used unless another is given: SPRINT_CACHE, else XDG_CACHE_HOME or the user's cache folder, and "kernels" in it.
    /// </summary>
    public static string DefaultFolder(Func<string, string?> environment)
    {
        if (environment("SPRINT_CACHE") is { Length: > 0 } own)
        {
            return Path.Combine(own, "kernels");
        }

        if (OperatingSystem.IsWindows())
        {
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "Sprint", "kernels");
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string shared = environment("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache)
            ? cache
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches") : Path.Combine(home, ".cache");
        return Path.Combine(shared, "sprint", "kernels");
    }

    /// <summary>Reads an entry, or null where there is none that is whole.</summary>
    public CompiledProgram? TryRead(string key)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(PathOf(key));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        int contentLength = bytes.Length - SHA256.HashSizeInBytes;
        if (contentLength < Signature.Length
            || !bytes.AsSpan().StartsWith(Signature)
            || !SHA256.HashData(bytes.AsSpan(0, contentLength)).AsSpan().SequenceEqual(bytes.AsSpan(contentLength)))
        {
            return null;
        }

        using BinaryReader reader = new(new MemoryStream(bytes, Signature.Length, contentLength - Signature.Length));
        return Read(reader);
    }

    /// <summary>Writes an entry.</summary>
    public void Write(string key, CompiledProgram program)
    {
        using MemoryStream content = new();
        content.Write(Signature);
        using (BinaryWriter writer = new(content, Encoding.UTF8, leaveOpen: true))
        {
            Write(writer, program);
        }

        content.Write(SHA256.HashData(content.GetBuffer().AsSpan(0, (int)content.Length)));
        string temporary = $"{PathOf(key)}.{Guid.NewGuid():N}{Unfinished}";
        try
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllBytes(temporary, content.ToArray());
            File.Move(temporary, PathOf(key), overwrite: true);
            Problem = null;
            Sweep();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Problem = failure.Message;
            Discard(temporary);
        }
    }

    /// <summary>Deletes what writers that were killed have left behind; no writer takes a day.</summary>
    private void Sweep()
    {
        foreach (string left in Directory.EnumerateFiles(Folder, $"*{Extension}.*{Unfinished}"))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(left) > LongestWrite)
            {
                Discard(left);
            }
        }
    }

    private static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What could not be written can often not be deleted either; the entry itself is untouched.
        }
    }

    private static CompiledProgram Read(BinaryReader reader)
    {
        CudaTarget target = new((CudaImageKind)reader.ReadInt32(), reader.ReadInt32());
        string log = reader.ReadString();
        var resources = new KernelResources[reader.ReadInt32()];
        for (int i = 0; i < resources.Length; i++)
        {
            resources[i] = new KernelResources(
                reader.ReadString(), reader.ReadString(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        }

        return new CompiledProgram { Target = target, Log = log, Resources = resources, Image = reader.ReadBytes(reader.ReadInt32()) };
    }

    private static void Write(BinaryWriter writer, CompiledProgram program)
    {
        writer.Write((int)program.Target.Kind);
        writer.Write(program.Target.Architecture);
        writer.Write(program.Log);
        writer.Write(program.Resources.Count);
        foreach (KernelResources kernel in program.Resources)
        {
            writer.Write(kernel.Kernel);
            writer.Write(kernel.Architecture);
            writer.Write(kernel.Registers);
            writer.Write(kernel.StackBytes);
            writer.Write(kernel.SpillStoreBytes);
            writer.Write(kernel.SpillLoadBytes);
            writer.Write(kernel.SharedBytes);
            writer.Write(kernel.ConstantBytes);
        }

        writer.Write(program.Image.Length);
        writer.Write(program.Image.Span);
    }

    private string PathOf(string key) => Path.Combine(Folder, key + Extension);
}
