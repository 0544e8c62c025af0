using System.Runtime.InteropServices;
using Sprint.Engine;

namespace Sprint.Bench.Peers;

/// <summary>Where a peer comes from: it is built in only where asked for.</summary>
internal static class PeerLibrary
{
    /// <summary>How to get it.</summary>
    public const string HowToBuild = "dotnet run -c Release --project Sprint.Bench -p:Peers=true -- peers";

    private const int LongestReason = 300;

    /// <summary>Loads libtorch.</summary>
    /// <param name="threads">Threads that it may use.</param>
    /// <exception cref="SprintException">It is not built in, or its native library cannot be loaded here.</exception>
    public static IPeer Load(int threads)
    {
#if PEERS
        // What TorchSharp prints of its search for the library would stand among the results.
        TextWriter output = Console.Out;
        Console.SetOut(TextWriter.Null);
        try
        {
            return new Torch.TorchPeer(threads);
        }
        catch (Exception exception) when (exception is TypeInitializationException or DllNotFoundException or NotSupportedException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw CannotLoad(LoadingFailure() ?? exception);
        }
        finally
        {
            Console.SetOut(output);
        }
#else
        _ = threads;
        throw new SprintException($"this program was built without libtorch, which is 600 MB to download: build it in with {HowToBuild}");
#endif
    }

    /// <summary>Says why the native library cannot be loaded.</summary>
    /// <param name="exception">What loading threw.</param>
    internal static SprintException CannotLoad(Exception exception)
    {
        string reason = exception.GetBaseException().Message.ReplaceLineEndings(" ");
        string advice = reason.Contains("GLIBCXX", StringComparison.Ordinal)
            ? ": it needs the libstdc++ of GCC 13, which Debian 13 and Ubuntu 24.04 have and Debian 12 lacks"
            : "";
        return new SprintException($"libtorch cannot be loaded on this machine{advice}: {reason[..Math.Min(LongestReason, reason.Length)].TrimEnd()}", exception);
    }

    /// <summary>TorchSharp tells of missing references whatever went wrong; loading its library once more tells the reason.</summary>
    internal static DllNotFoundException? LoadingFailure()
    {
        string library = Path.Combine(AppContext.BaseDirectory, "cpu", "libLibTorchSharp.so");
        if (!File.Exists(library))
            return null;
        try
        {
            NativeLibrary.Free(NativeLibrary.Load(library));
            return null;
        }
        catch (DllNotFoundException failure)
        {
            return failure;
        }
    }
}
