using NUnit.Framework;
using Sprint.Engine.Emulation.Execution;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>What printf makes of its arguments is what C makes of them; the texts are glibc's.</summary>
public sealed class PrintSpecifierTests
{
    [TestCase("%d", -1L, "-1")]
    [TestCase("%+d", -1L, "-1")]
    [TestCase("%+d", 7L, "+7")]
    [TestCase("% d", 7L, " 7")]
    [TestCase("%5d", 7L, "    7")]
    [TestCase("%-5d|", 7L, "7    |")]
    [TestCase("%05d", -7L, "-0007")]
    [TestCase("%.4d", 7L, "0007")]
    [TestCase("%8.4d", -7L, "   -0007")]
    [TestCase("%08.4d", 7L, "    0007")]
    [TestCase("%.0d", 0L, "")]
    [TestCase("%hd", 70000L, "4464")]
    [TestCase("%hhd", 200L, "-56")]
    [TestCase("%u", -1L, "4294967295")]
    [TestCase("%hhu", 300L, "44")]
    [TestCase("%x", 255L, "ff")]
    [TestCase("%#x", 255L, "0xff")]
    [TestCase("%#X", 255L, "0XFF")]
    [TestCase("%#010x", 255L, "0x000000ff")]
    [TestCase("%o", 8L, "10")]
    [TestCase("%#o", 8L, "010")]
    [TestCase("%#.3o", 8L, "010")]
    [TestCase("%#o", 0L, "0")]
    [TestCase("%#.0o", 0L, "0")]
    [TestCase("%#5.0o|", 0L, "    0|")]
    [TestCase("%#.0x", 0L, "")]
    [TestCase("%lld", -5000000000L, "-5000000000")]
    [TestCase("%llu", -1L, "18446744073709551615")]
    [TestCase("%llx", 1099511627776L, "10000000000")]
    [TestCase("%zu", 5L, "5")]
    [TestCase("%c", 65L, "A")]
    [TestCase("%3c", 65L, "  A")]
    [TestCase("%d", -2147483648L, "-2147483648")]
    [TestCase("%lld", long.MinValue, "-9223372036854775808")]
    [TestCase("%p", 255L, "0xff")]
    [TestCase("%8p|", 255L, "    0xff|")]
    [TestCase("%-8p|", 255L, "0xff    |")]
    [TestCase("%010p", 255L, "0x000000ff")]
    [TestCase("%010.4p", 255L, "    0x00ff")]
    [TestCase("%+p", 255L, "+0xff")]
    [TestCase("%p", 0L, "(nil)")]
    [TestCase("%08p", 0L, "   (nil)")]
    [TestCase("%-8p|", 0L, "(nil)   |")]
    public void A_whole_number_is_printed_as_by_C(string format, long value, string expected) => Assert.That(Render(format, (ulong)value), Is.EqualTo(expected));

    [TestCase("%f", 1.5, "1.500000")]
    [TestCase("%.2f", 2.345, "2.35")]
    [TestCase("%.0f", 2.5, "2")]
    [TestCase("%+.1f", 3.0, "+3.0")]
    [TestCase("% f", -0.0, "-0.000000")]
    [TestCase("%08.2f", -3.14159, "-0003.14")]
    [TestCase("%10.3f|", 3.14159, "     3.142|")]
    [TestCase("%-10.3f|", 3.14159, "3.142     |")]
    [TestCase("%e", 12345.678, "1.234568e+04")]
    [TestCase("%.0e", 12345.678, "1e+04")]
    [TestCase("%E", 1e-300, "1.000000E-300")]
    [TestCase("%g", 0.0001, "0.0001")]
    [TestCase("%g", 0.00001, "1e-05")]
    [TestCase("%g", 1e6, "1e+06")]
    [TestCase("%g", 999999.5, "1e+06")]
    [TestCase("%g", 9.9999995, "10")]
    [TestCase("%g", 100000.0, "100000")]
    [TestCase("%.3g", 1234.5, "1.23e+03")]
    [TestCase("%#g", 1.0, "1.00000")]
    [TestCase("%G", 1e-10, "1E-10")]
    [TestCase("%g", 0.0, "0")]
    [TestCase("%a", 1.0, "0x1p+0")]
    [TestCase("%a", 0.5, "0x1p-1")]
    [TestCase("%a", 3.14159, "0x1.921f9f01b866ep+1")]
    [TestCase("%.2a", 3.14159, "0x1.92p+1")]
    [TestCase("%A", -255.0, "-0X1.FEP+7")]
    [TestCase("%a", 0.0, "0x0p+0")]
    [TestCase("%a", 4.9406564584124654e-324, "0x0.0000000000001p-1022")]
    [TestCase("%.3a", 1.9999999, "0x2.000p+0")]
    [TestCase("%f", 1e22, "10000000000000000000000.000000")]
    [TestCase("%20.10e|", -1.0 / 3, "   -3.3333333333e-01|")]
    [TestCase("%f", double.PositiveInfinity, "inf")]
    [TestCase("%F", double.NegativeInfinity, "-INF")]
    [TestCase("%010f", double.PositiveInfinity, "       inf")]
    [TestCase("%#.0f", 3.0, "3.")]
    [TestCase("%#05.0f", 3.0, "0003.")]
    [TestCase("%#.2f", 3.0, "3.00")]
    [TestCase("%#.0e", 3.0, "3.e+00")]
    [TestCase("%#.1e", 3.0, "3.0e+00")]
    [TestCase("%#.1g", 3.0, "3.")]
    [TestCase("%#.1g", 3e10, "3.e+10")]
    [TestCase("%#.0G", 3e-10, "3.E-10")]
    [TestCase("%#g", 0.0, "0.00000")]
    [TestCase("%#.0a", 1.0, "0x1.p+0")]
    [TestCase("%#A", 1.0, "0X1.P+0")]
    public void A_real_number_is_printed_as_by_C(string format, double value, string expected) => Assert.That(Render(format, BitConverter.DoubleToUInt64Bits(value)), Is.EqualTo(expected));

    [TestCase("%f", 0x7FF8000000000000ul, "nan")]
    [TestCase("%+f", 0x7FF8000000000000ul, "+nan")]
    [TestCase("% f", 0x7FF8000000000000ul, " nan")]
    [TestCase("%+8.1f|", 0x7FF8000000000000ul, "    +nan|")]
    [TestCase("%010f", 0x7FF8000000000000ul, "       nan")]
    [TestCase("%F", 0xFFF8000000000000ul, "-NAN")]
    [TestCase("%-8e|", 0xFFF8000000000000ul, "-nan    |")]
    [TestCase("%a", 0xFFF8000000000000ul, "-nan")]
    public void No_number_is_printed_as_by_C(string format, ulong bits, string expected) => Assert.That(Render(format, bits), Is.EqualTo(expected));

    [TestCase("%s", "text", "text")]
    [TestCase("%6s", "text", "  text")]
    [TestCase("%-6s|", "text", "text  |")]
    [TestCase("%.2s", "text", "te")]
    [TestCase("%5.1s", "text", "    t")]
    public void A_text_is_printed_as_by_C(string format, string value, string expected)
    {
        int at = 1, count = 0;
        PrintSpecifier specifier = PrintSpecifier.Parse(format, ref at, () => 0, ref count);
        Assert.That(specifier.Render(value) + format[(at + 1)..], Is.EqualTo(expected));
    }

    [TestCase("%*d", new[] { 5 }, "   42")]
    [TestCase("%*d|", new[] { -5 }, "42   |")]
    [TestCase("%.*d", new[] { 4 }, "0042")]
    [TestCase("%*.*d", new[] { 6, 3 }, "   042")]
    [TestCase("%.*d", new[] { -1 }, "42")]
    public void Width_and_precision_come_from_arguments(string format, int[] arguments, string expected)
    {
        Queue<int> queue = new(arguments);
        int at = 1, count = 0;
        PrintSpecifier specifier = PrintSpecifier.Parse(format, ref at, queue.Dequeue, ref count);
        Assert.That(specifier.Render(42) + format[(at + 1)..], Is.EqualTo(expected));
        Assert.That(count, Is.EqualTo(arguments.Length));
    }

    [TestCase("%d", 4)]
    [TestCase("%hhd", 4)]
    [TestCase("%c", 4)]
    [TestCase("%lu", 8)]
    [TestCase("%zu", 8)]
    [TestCase("%f", 8)]
    [TestCase("%a", 8)]
    [TestCase("%s", 8)]
    [TestCase("%p", 8)]
    public void An_argument_has_the_bytes_of_its_type(string format, int bytes)
    {
        int at = 1, count = 0;
        Assert.That(PrintSpecifier.Parse(format, ref at, () => 0, ref count).Bytes, Is.EqualTo(bytes));
    }

    [TestCase("%")]
    [TestCase("%-08.3ll")]
    public void A_text_that_ends_within_a_specifier_has_no_conversion(string format)
    {
        int at = 1, count = 0;
        Assert.That(PrintSpecifier.Parse(format, ref at, () => 0, ref count).Conversion, Is.EqualTo('\0'));
    }

    private static string Render(string format, ulong value)
    {
        int at = 1, count = 0;
        PrintSpecifier specifier = PrintSpecifier.Parse(format, ref at, () => 0, ref count);
        return specifier.Render(value) + format[(at + 1)..];
    }
}
