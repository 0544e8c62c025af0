using Sprint.Engine;

namespace Sprint.Model.Checkpoints;

/// <summary>Turns what the operating system says about a file into one sentence for the user.</summary>
internal static class FileFault
{
    private const int UnixNoSpace = 28;
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private const int UnixQuotaExceeded = 122;
    private const int UnixReadOnly = 30;
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Whether the exception is one that the file system raises, as opposed to a fault of the program.</summary>
    public static bool IsFileFault(Exception exception) =>
        exception is IOException or UnauthorizedAccessException or NotSupportedException || IsTooLarge(exception);

    /// <summary>Whether the file could not be opened because another process holds it.</summary>
    public static bool IsHeld(IOException exception) =>
        exception.HResult == WindowsSharingViolation || exception.HResult == (OperatingSystem.IsMacOS() ? MacWouldBlock : LinuxWouldBlock);

    /// <summary>The error "cannot <paramref name="action"/> PATH: reason".</summary>
    public static SprintException Describe(string action, string path, Exception exception) =>
        new($"cannot {action} '{path}': {Reason(exception)}", exception);

    private static string Reason(Exception exception) => exception switch
    {
        UnauthorizedAccessException => "there is no permission, or it is a folder where a file was expected",
        FileNotFoundException => "there is no such file",
        DirectoryNotFoundException => "there is no such folder",
        PathTooLongException => "the path is too long",
        IOException { HResult: UnixNoSpace or WindowsDiskFull or WindowsHandleDiskFull } => "the disk is full",
        IOException { HResult: UnixQuotaExceeded } => "the disk quota is used up",
        IOException { HResult: UnixReadOnly } => "the file system is read-only",
        _ when IsTooLarge(exception) => "the file would be larger than the file system or a limit allows",
        _ => exception.Message.TrimEnd('.'),
    };

    /// <summary>The runtime's form of EFBIG, which is no <see cref="IOException"/>: 4 GiB on FAT, or a limit set for the process.</summary>
    private static bool IsTooLarge(Exception exception) => exception is ArgumentOutOfRangeException { ParamName: "value", Source: "System.Private.CoreLib" };
}
