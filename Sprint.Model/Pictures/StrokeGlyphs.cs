namespace Sprint.Model.Pictures;

/// <summary>
/// The printable characters of ASCII as strokes, for machines that have no font. A point is two digits, x then y (y in hexadecimal):
/// y = 0 is the top of capitals, 3 the top of small letters, 8 the base line, b the bottom of descenders.
/// A stroke is points joined by lines, a point by itself repeated is a dot; a blank separates strokes.
/// </summary>
internal static class StrokeGlyphs
{
    /// <summary>The height of capitals in glyph units.</summary>
    public const int CapitalHeight = 8;

    private const string Missing = "0050580800";

    private static readonly string[] Table =
    [
        "", // blank
        "0005 0808", // !
        "0002 2022", // "
        "2018 5048 0363 0565", // #
        "614020010324446567482807 3039", // $
        "6008 0020220200 4666684846", // %
        "681311203041420507183865", // &
        "0002", // '
        "20020628", // (
        "00222608", // )
        "2024 0143 4103", // *
        "2327 0545", // +
        "180a", // ,
        "0535", // -
        "0808", // .
        "4009", // /
        "104051574818070110", // 0
        "022028", // 1
        "0201104051530858", // 2
        "01104051534424 445557481807", // 3
        "48400656", // 4
        "500003435457481807", // 5
        "4120020618485755441405", // 6
        "005028", // 7
        "14030110405153441405071848575544", // 8
        "5344140301104051563817", // 9
        "0404 0808", // :
        "1414 180a", // ;
        "430547", // <
        "0444 0646", // =
        "034507", // >
        "01103041422425 2828", // ?
        "46433324253646566562402002062848", // @
        "083068 1555", // A
        "08004051534404 4455574808", // B
        "6140200206284867", // C
        "00083866623000", // D
        "50000858 0444", // E
        "500008 0444", // F
        "61402002062848666434", // G
        "0008 6068 0464", // H
        "0008", // I
        "4046281806", // J
        "0008 5005 2358", // K
        "000848", // L
        "0800458088", // M
        "08006860", // N
        "204062664828060220", // O
        "08004051534404", // P
        "204062664828060220 4669", // Q
        "08004051534404 3458", // R
        "614020010324446567482807", // S
        "0060 3038", // T
        "000628486660", // U
        "003860", // V
        "0028426880", // W
        "0068 6008", // X
        "003460 3438", // Y
        "00600868", // Z
        "20000929", // [
        "0049", // \
        "00202909", // ]
        "032043", // ^
        "0959", // _
        "0011", // `
        "13334448 45150607182846", // a
        "0008 0513334546381806", // b
        "4433130506183847", // c
        "4048 4533130506183846", // d
        "054533130506183847", // e
        "30201118 0333", // f
        "434a3b1b0a 4533130506183846", // g
        "0008 0513334448", // h
        "0308 0000", // i
        "131a0b 1010", // j
        "0008 4306 1548", // k
        "000718", // l
        "0308 0513233438 3543536468", // m
        "0308 0513334448", // n
        "133345463818060513", // o
        "030b 0513334546381806", // p
        "434b 4533130506183846", // q
        "0308 051333", // r
        "4433130415354647381807", // s
        "11172838 0333", // t
        "0306182846 4348", // u
        "032843", // v
        "0318345863", // w
        "0348 4308", // x
        "0328 431b0b", // y
        "03430848", // z
        "302011130415172838", // {
        "000a", // |
        "001021233425271808", // }
        "06143644", // ~
    ];

    /// <summary>The strokes of a character: lists of points in glyph units; a box for a character that has none.</summary>
    public static IEnumerable<(int X, int Y)[]> Strokes(char letter)
    {
        string glyph = letter is >= ' ' and <= '~' ? Table[letter - ' '] : Missing;
        return glyph.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Points);
    }

    /// <summary>The width of a character in glyph units, without the space to the next.</summary>
    public static int Width(char letter) => letter == ' ' ? 2 : Strokes(letter).Max(points => points.Max(point => point.X));

    private static (int X, int Y)[] Points(string stroke) =>
        [.. Enumerable.Range(0, stroke.Length / 2).Select(index => (stroke[2 * index] - '0', Convert.ToInt32(stroke[(2 * index) + 1].ToString(), 16)))];
}
