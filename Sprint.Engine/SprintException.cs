namespace Sprint.Engine;

/// <summary>
/// An error that a user can mend: the message is one clear sentence that names the thing, its value and what would be right.
/// Command line programs print the message alone and exit with code 2.
/// </summary>
public class SprintException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">One clear sentence for the user.</param>
    public SprintException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error and keeps what caused it.</summary>
    /// <param name="message">One clear sentence for the user.</param>
    /// <param name="innerException">The cause, for those who debug.</param>
    public SprintException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
