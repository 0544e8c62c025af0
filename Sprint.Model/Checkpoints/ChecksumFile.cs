using System.Security.Cryptography;
using Sprint.Engine;

namespace Sprint.Model.Checkpoints;

/// <summary>
/// The file <c>SHA256SUMS</c> of a folder, in the form of <c>sha256sum</c>: a line of hash and name for each file, so that damage
/// that no reader notices is found, here and with <c>sha256sum -c SHA256SUMS</c>.
/// </summary>
internal static class ChecksumFile
{
    internal const string Name = "SHA256SUMS";
    private const int HashLength = 64;

    /// <summary>Writes the hashes of all files of a folder that is not yet in use.</summary>
    /// <exception cref="SprintException">A file cannot be read, or the hashes not be written.</exception>
    internal static void Write(string folder)
    {
        string[] names = [.. Directory.GetFiles(folder).Select(Path.GetFileName).OfType<string>().Where(name => name != Name).Order(StringComparer.Ordinal)];
        try
        {
            AtomicFile.WriteText(Path.Combine(folder, Name), string.Concat(names.Select(name => $"{Hash(Path.Combine(folder, name))}  {name}\n")));
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", folder, exception);
        }
    }

    /// <summary>What is wrong with a folder's files, as a sentence. Null if nothing is.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">The files that must be there and as they were saved.</param>
    /// <exception cref="SprintException">There is no permission to read them.</exception>
    internal static string? Fault(string folder, params ReadOnlySpan<string> names)
    {
        try
        {
            string sums = Path.Combine(folder, Name);
            if (!File.Exists(sums))
            {
                return $"its {Name} is missing";
            }

            Dictionary<string, string> expected = Read(sums);
            foreach (string name in names)
            {
                string file = Path.Combine(folder, name);
                string? fault = !expected.TryGetValue(name, out string? hash) ? $"its {Name} has no line for {name}"
                    : !File.Exists(file) ? $"its {name} is missing"
                    : !hash.Equals(Hash(file), StringComparison.OrdinalIgnoreCase) ? $"its {name} is not what was saved, by the hash in {Name}"
                    : null;
                if (fault is not null)
                {
                    return fault;
                }
            }

            return null;
        }
        catch (UnauthorizedAccessException exception)
        {
            // Nothing is wrong with files that this user may not read.
            throw FileFault.Describe("read the checkpoint", folder, exception);
        }
        catch (IOException exception)
        {
            return $"it cannot be read: {exception.Message.TrimEnd('.')}";
        }
    }

    /// <summary>Whether a file has a hash in its folder's <c>SHA256SUMS</c> and is not what the hash was made of.</summary>
    /// <exception cref="SprintException">One of the two cannot be read.</exception>
    internal static bool Differs(string path)
    {
        string sums = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path)) ?? "", Name);
        try
        {
            return File.Exists(sums) && Read(sums).TryGetValue(Path.GetFileName(path), out string? hash)
                && !hash.Equals(Hash(path), StringComparison.OrdinalIgnoreCase);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }
    }

    /// <summary>Name and hash of each line; lines of another form count for nothing, so that the file they were for is missed.</summary>
    private static Dictionary<string, string> Read(string path)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in File.ReadLines(path))
        {
            // Two blanks, or a blank and an asterisk where the hash was made in binary mode.
            if (line.Length > HashLength + 2 && line[HashLength] == ' ' && line[HashLength + 1] is (' ' or '*'))
            {
                hashes[line[(HashLength + 2)..]] = line[..HashLength];
            }
        }

        return hashes;
    }

    private static string Hash(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
