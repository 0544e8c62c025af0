using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The sources of the kernels: those in the assembly, each replaced by the file of the same path in the user's folder where there is one.
/// Files are read anew each time, so that an edit counts from the next compilation on.
/// </summary>
internal sealed partial class KernelSources
{
    private const string Root = "kernels/";
    private static readonly Assembly Home = typeof(KernelSources).Assembly;
    private static readonly Dictionary<string, string> ResourceNames =
        Home.GetManifestResourceNames().Where(static name => name.StartsWith(Root, StringComparison.Ordinal)).ToDictionary(static name => name.Replace('\\', '/')[Root.Length..]);

    private readonly string? folder;

    /// <summary>Creates the collection.</summary>
    /// <param name="folder">The user's folder, or null.</param>
    /// <exception cref="SprintException">The folder does not exist.</exception>
    public KernelSources(string? folder)
    {
        if (folder is not null && !Directory.Exists(folder))
        {
            throw new SprintException($"The kernel folder {folder} does not exist: name the folder that holds your .cu files.");
        }

        this.folder = folder is null ? null : Path.GetFullPath(folder);
    }

    /// <summary>The paths of all .cu files, sorted.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            IEnumerable<string> own = folder is null
                ? []
                : Directory.EnumerateFiles(folder, "*.cu", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'));
            return [.. ResourceNames.Keys.Where(static name => name.EndsWith(".cu", StringComparison.Ordinal)).Union(own).Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>An embedded file that is not a source, such as prebuilt PTX, or null.</summary>
    public static byte[]? ReadEmbedded(string name)
    {
        if (!ResourceNames.TryGetValue(name, out string? resource))
        {
            return null;
        }

        using Stream stream = Home.GetManifestResourceStream(resource)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The file in the user's folder that stands for a source, or null where the embedded one does.</summary>
    public string? OwnPath(string name)
    {
        if (folder is null)
        {
            return null;
        }

        string path = Path.Combine(folder, name);
        return File.Exists(path) ? path : null;
    }

    /// <summary>A source with all the headers it includes, directly or not.</summary>
    /// <exception cref="SprintException">There is no such source, or its file cannot be read.</exception>
    public CudaSource Load(string name)
    {
        string text = TryRead(name) ?? throw new SprintException($"There is no kernel source {name}{(folder is null ? "" : $" in {folder}")}: the sources are {string.Join(", ", Names)}.");
        SortedDictionary<string, string> headers = new(StringComparer.Ordinal);
        Queue<string> open = new([text]);
        while (open.TryDequeue(out string? current))
        {
            foreach (Match match in Include().Matches(current))
            {
                string header = match.Groups["name"].Value;

                // One that is missing is left for the compiler to report, with the line that includes it.
                if (!headers.ContainsKey(header) && TryRead(header) is { } contents)
                {
                    headers.Add(header, contents);
                    open.Enqueue(contents);
                }
            }
        }

        return new CudaSource(name, text) { Headers = headers };
    }

    /// <summary>A hash of the source, its headers and the specialisation's macros, in hexadecimal.</summary>
    public static string Hash(CudaSource source, KernelSpecialization specialization, IEnumerable<string> more)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        // Each part is preceded by its length, so that no two lists of parts run together to the same bytes.
        void Append(string part)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        Append(source.Name);
        Append(source.Text);
        foreach ((string name, string text) in source.Headers)
        {
            Append(name);
            Append(text);
        }

        foreach (string part in specialization.Macros.Select(static macro => "-D" + macro).Concat(more))
        {
            Append(part);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private string? TryRead(string name)
    {
        if (OwnPath(name) is { } path)
        {
            try
            {
                return File.ReadAllText(path).ReplaceLineEndings("\n");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new SprintException($"The kernel source {path} cannot be read: {failure.Message}", failure);
            }
        }

        return ReadEmbedded(name) is { } bytes ? Encoding.UTF8.GetString(bytes).ReplaceLineEndings("\n") : null;
    }

    [GeneratedRegex("""^[ \t]*#[ \t]*include[ \t]*"(?<name>[^"\r\n]+)"?""", RegexOptions.Multiline)]
    private static partial Regex Include();
}
