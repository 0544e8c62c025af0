namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Kinds of lexical elements of PTX.</summary>
internal enum PtxTokenKind
{
    /// <summary>An identifier, register, label, opcode with its modifiers, or directive (starts with a dot).</summary>
    Word,

    /// <summary>An integer or floating-point literal.</summary>
    Number,

    /// <summary>A quoted string, without the quotes.</summary>
    Text,

    /// <summary>One character of punctuation.</summary>
    Punctuation,

    /// <summary>The end of the text.</summary>
    End,
}

/// <summary>One lexical element: a slice of the module's text, never a copy.</summary>
internal readonly record struct PtxToken(PtxTokenKind Kind, int Start, int Length, int Line);
