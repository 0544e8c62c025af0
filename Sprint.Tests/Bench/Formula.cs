using System.Globalization;

namespace Sprint.Tests.Bench;

/// <summary>Evaluates the formulas of docs/flops.md: sums, differences, products, quotients and parentheses over letters and whole numbers.</summary>
internal sealed class Formula
{
    private readonly string text;
    private readonly IReadOnlyDictionary<string, double> letters;
    private int place;

    private Formula(string text, IReadOnlyDictionary<string, double> letters) => (this.text, this.letters) = (text.Replace(" ", "", StringComparison.Ordinal), letters);

    public static double Evaluate(string text, IReadOnlyDictionary<string, double> letters)
    {
        var formula = new Formula(text, letters);
        double value = formula.Sum();
        return formula.place == formula.text.Length ? value : throw new FormatException($"'{text}' goes on after a formula");
    }

    private double Sum()
    {
        double value = Product();
        while (true)
        {
            if (Take('+'))
                value += Product();
            else if (Take('-'))
                value -= Product();
            else
                return value;
        }
    }

    private double Product()
    {
        double value = Factor();
        while (true)
        {
            if (Take('*'))
                value *= Factor();
            else if (Take('/'))
                value /= Factor();
            else
                return value;
        }
    }

    private double Factor()
    {
        if (Take('('))
        {
            double value = Sum();
            return Take(')') ? value : throw new FormatException($"'{text}' lacks a parenthesis");
        }

        int start = place;
        while (place < text.Length && char.IsLetterOrDigit(text[place]))
            place++;
        string word = text[start..place];
        return letters.TryGetValue(word, out double letter) ? letter : double.Parse(word, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private bool Take(char sign)
    {
        bool found = place < text.Length && text[place] == sign;
        place += found ? 1 : 0;
        return found;
    }
}
