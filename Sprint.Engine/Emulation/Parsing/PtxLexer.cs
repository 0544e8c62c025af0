namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Splits PTX text into tokens; words keep their dots, so that an opcode with its modifiers is one token.</summary>
internal sealed class PtxLexer(string text, string module)
{
    private int position;
    private int line = 1;

    /// <summary>Reads all tokens, the last of which is <see cref="PtxTokenKind.End"/>.</summary>
    /// <exception cref="EmulationException">An unfinished comment or string, or a character PTX does not have.</exception>
    public List<PtxToken> ReadAll()
    {
        List<PtxToken> tokens = new(text.Length / 4);
        while (true)
        {
            SkipBlanks();
            if (position >= text.Length)
            {
                tokens.Add(new PtxToken(PtxTokenKind.End, text.Length, 0, line));
                return tokens;
            }
            tokens.Add(ReadToken());
        }
    }

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c is '_' or '$' or '%' or '.';

    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%' or '.';

    private PtxToken ReadToken()
    {
        int start = position;
        char c = text[start];
        if (IsWordStart(c) && !(c == '.' && start + 1 < text.Length && char.IsAsciiDigit(text[start + 1])))
        {
            // Directives may stand without a blank between: ".reg.b16" is two words.
            while (position < text.Length && (IsWordPart(text[position]) || IsScope()) && !(c == '.' && position > start && text[position] == '.'))
                position += text[position] == ':' ? 2 : 1;
            return new PtxToken(PtxTokenKind.Word, start, position - start, line);
        }
        if (char.IsAsciiDigit(c) || c == '.')
        {
            ReadNumber();
            return new PtxToken(PtxTokenKind.Number, start, position - start, line);
        }
        if (c == '"')
            return ReadText();
        if (c < ' ' || c > '~')
            throw Error($"The character U+{(int)c:X4} is no part of PTX");
        position++;
        return new PtxToken(PtxTokenKind.Punctuation, start, 1, line);
    }

    // "ld.shared::cta" is one word; a label's single colon ends it.
    private bool IsScope() => text[position] == ':' && position + 2 < text.Length && text[position + 1] == ':';

    private void ReadNumber()
    {
        while (position < text.Length)
        {
            char c = text[position];
            bool exponentSign = c is '+' or '-' && text[position - 1] is 'e' or 'E'
                && !text.AsSpan(0, position).EndsWith("0x", StringComparison.OrdinalIgnoreCase) && IsDecimal();
            if (!char.IsAsciiLetterOrDigit(c) && c != '.' && !exponentSign)
                return;
            position++;
        }
    }

    private bool IsDecimal()
    {
        int k = position - 2;
        while (k >= 0 && (char.IsAsciiDigit(text[k]) || text[k] == '.'))
            k--;
        return k < 0 || !char.IsAsciiLetter(text[k]);
    }

    private PtxToken ReadText()
    {
        int start = ++position;
        while (position < text.Length && text[position] != '"')
        {
            if (text[position] == '\n')
                throw Error("A string is not closed on its line");
            position += text[position] == '\\' && position + 1 < text.Length ? 2 : 1;
        }
        if (position >= text.Length)
            throw Error("A string is not closed");
        return new PtxToken(PtxTokenKind.Text, start, position++ - start, line);
    }

    private void SkipBlanks()
    {
        while (position < text.Length)
        {
            char c = text[position];
            if (c == '\n')
                line++;
            if (c is ' ' or '\t' or '\r' or '\n' or '\f')
                position++;
            else if (text.AsSpan(position).StartsWith("//"))
                SkipLine();
            else if (text.AsSpan(position).StartsWith("/*"))
                SkipComment();
            else if (c == '\0' && position == text.Length - 1)
                position++;
            else
                return;
        }
    }

    private void SkipLine()
    {
        int end = text.IndexOf('\n', position);
        position = end < 0 ? text.Length : end;
    }

    private void SkipComment()
    {
        int end = text.IndexOf("*/", position + 2, StringComparison.Ordinal);
        if (end < 0)
            throw Error("A comment is not closed");
        line += text.AsSpan(position, end - position).Count('\n');
        position = end + 2;
    }

    private EmulationException Error(string detail)
        => new(EmulationFault.Syntax, detail, new EmulationSite(Module: module, PtxLine: line));
}
