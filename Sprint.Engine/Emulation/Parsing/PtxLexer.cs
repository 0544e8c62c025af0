namespace Sprint.Engine.Emulation.Parsing;

/// <summary>Splits PTX text into tokens; words keep their dots, so that an opcode with its modifiers is one token.</summary>
internal sealed class PtxLexer(string text, string module)
{
    private int _position;
    private int _line = 1;

    /// <summary>Reads all tokens, the last of which is <see cref="PtxTokenKind.End"/>.</summary>
    /// <exception cref="EmulationException">An unfinished comment or string, or a character PTX does not have.</exception>
    public List<PtxToken> ReadAll()
    {
        List<PtxToken> tokens = new(text.Length / 4);
        while (true)
        {
            SkipBlanks();
            if (_position >= text.Length)
            {
                tokens.Add(new PtxToken(PtxTokenKind.End, text.Length, 0, _line));
                return tokens;
            }
            tokens.Add(ReadToken());
        }
    }

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c is '_' or '$' or '%' or '.';

    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%' or '.';

    private PtxToken ReadToken()
    {
        int start = _position;
        char c = text[start];
        if (IsWordStart(c) && !(c == '.' && start + 1 < text.Length && char.IsAsciiDigit(text[start + 1])))
        {
            // Directives may stand without a blank between: ".reg.b16" is two words.
            while (_position < text.Length && (IsWordPart(text[_position]) || IsScope()) && !(c == '.' && _position > start && text[_position] == '.'))
                _position += text[_position] == ':' ? 2 : 1;
            return new PtxToken(PtxTokenKind.Word, start, _position - start, _line);
        }
        if (char.IsAsciiDigit(c) || c == '.')
        {
            ReadNumber();
            return new PtxToken(PtxTokenKind.Number, start, _position - start, _line);
        }
        if (c == '"')
            return ReadText();
        if (c < ' ' || c > '~')
            throw Error($"The character U+{(int)c:X4} is no part of PTX");
        _position++;
        return new PtxToken(PtxTokenKind.Punctuation, start, 1, _line);
    }

    // "ld.shared::cta" is one word; a label's single colon ends it.
    private bool IsScope() => text[_position] == ':' && _position + 2 < text.Length && text[_position + 1] == ':';

    private void ReadNumber()
    {
        while (_position < text.Length)
        {
            char c = text[_position];
            bool exponentSign = c is '+' or '-' && text[_position - 1] is 'e' or 'E'
                && !text.AsSpan(0, _position).EndsWith("0x", StringComparison.OrdinalIgnoreCase) && IsDecimal();
            if (!char.IsAsciiLetterOrDigit(c) && c != '.' && !exponentSign)
                return;
            _position++;
        }
    }

    private bool IsDecimal()
    {
        int k = _position - 2;
        while (k >= 0 && (char.IsAsciiDigit(text[k]) || text[k] == '.'))
            k--;
        return k < 0 || !char.IsAsciiLetter(text[k]);
    }

    private PtxToken ReadText()
    {
        int start = ++_position;
        while (_position < text.Length && text[_position] != '"')
        {
            if (text[_position] == '\n')
                throw Error("A string is not closed on its line");
            _position += text[_position] == '\\' && _position + 1 < text.Length ? 2 : 1;
        }
        if (_position >= text.Length)
            throw Error("A string is not closed");
        return new PtxToken(PtxTokenKind.Text, start, _position++ - start, _line);
    }

    private void SkipBlanks()
    {
        while (_position < text.Length)
        {
            char c = text[_position];
            if (c == '\n')
                _line++;
            if (c is ' ' or '\t' or '\r' or '\n' or '\f')
                _position++;
            else if (text.AsSpan(_position).StartsWith("//"))
                SkipLine();
            else if (text.AsSpan(_position).StartsWith("/*"))
                SkipComment();
            else if (c == '\0' && _position == text.Length - 1)
                _position++;
            else
                return;
        }
    }

    private void SkipLine()
    {
        int end = text.IndexOf('\n', _position);
        _position = end < 0 ? text.Length : end;
    }

    private void SkipComment()
    {
        int end = text.IndexOf("*/", _position + 2, StringComparison.Ordinal);
        if (end < 0)
            throw Error("A comment is not closed");
        _line += text.AsSpan(_position, end - _position).Count('\n');
        _position = end + 2;
    }

    private EmulationException Error(string detail)
        => new(EmulationFault.Syntax, detail, new EmulationSite(Module: module, PtxLine: _line));
}
