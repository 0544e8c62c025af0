using System.Globalization;

namespace Sprint.Engine.Cuda;

/// <content>The text: where the reader is in it, what it takes next, and its bounds.</content>
internal sealed partial class Demangler
{
    private int ReadNumber()
    {
        int start = position;
        while (char.IsAsciiDigit(Current))
        {
            position++;
        }

        return int.TryParse(text.AsSpan(start, position - start), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Unknown();
    }

    private char Current => position < text.Length ? text[position] : '\0';

    private char Next => position + 1 < text.Length ? text[position + 1] : '\0';

    private bool Take(char wanted)
    {
        bool found = Current == wanted;
        position += found ? 1 : 0;
        return found;
    }

    private bool Take(string wanted)
    {
        bool found = string.CompareOrdinal(text, position, wanted, 0, wanted.Length) == 0;
        position += found ? wanted.Length : 0;
        return found;
    }

    private void Expect(char wanted) => Require(Take(wanted));

    private void Require(bool holds)
    {
        if (!holds)
        {
            throw Unknown();
        }
    }

    private FormatException Unknown() => new($"'{text}' is not understood at character {position}.");

    /// <summary>Counts how deep the reader is, and how long it has been at it.</summary>
    private readonly ref struct Level
    {
        private readonly Demangler reader;

        public Level(Demangler reader)
        {
            this.reader = reader;
            reader.depth++;
            reader.Require(reader.depth <= MostDepth && ++reader.steps <= MostSteps);
        }

        public void Dispose() => reader.depth--;
    }
}
