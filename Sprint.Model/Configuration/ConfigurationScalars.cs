using System.Globalization;
using System.Numerics;

namespace Sprint.Model.Configuration;

/// <summary>Single values: text to a type and back.</summary>
internal static class ConfigurationScalars
{
    /// <summary>Whether a type is a single value.</summary>
    public static bool IsScalar(Type type) => type.IsEnum || Type.GetTypeCode(type) is TypeCode.Boolean or TypeCode.String
        or TypeCode.Int32 or TypeCode.Int64 or TypeCode.UInt32 or TypeCode.UInt64 or TypeCode.Single or TypeCode.Double;

    /// <summary>Reads a value.</summary>
    /// <param name="type">A type for which <see cref="IsScalar"/> holds.</param>
    /// <param name="node">What the file holds.</param>
    /// <param name="path">What the value is called.</param>
    /// <exception cref="Engine.SprintException">The text is not of that type.</exception>
    public static object Parse(Type type, ScalarNode node, string path)
    {
        if (type == typeof(string))
            return node.IsNull ? throw Wrong(node, path, "a text") : node.Text;
        if (type.IsEnum)
            return ParseEnum(type, node, path);
        string text = node.Plain ? node.Text : "";
        const NumberStyles whole = NumberStyles.AllowLeadingSign;
        const NumberStyles real = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        CultureInfo culture = CultureInfo.InvariantCulture;
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => text switch
            {
                "true" or "True" or "TRUE" => true,
                "false" or "False" or "FALSE" => false,
                _ => throw Wrong(node, path, "true or false"),
            },
            TypeCode.Int32 => int.TryParse(text, whole, culture, out int value) ? value
                : throw Wrong(node, path, WholeNumber(text, int.MinValue, int.MaxValue)),
            TypeCode.Int64 => long.TryParse(text, whole, culture, out long value) ? value
                : throw Wrong(node, path, WholeNumber(text, long.MinValue, long.MaxValue)),
            TypeCode.UInt32 => uint.TryParse(text, whole, culture, out uint value) ? value
                : throw Wrong(node, path, WholeNumber(text, uint.MinValue, uint.MaxValue)),
            TypeCode.UInt64 => ulong.TryParse(text, whole, culture, out ulong value) ? value
                : throw Wrong(node, path, WholeNumber(text, ulong.MinValue, ulong.MaxValue)),
            TypeCode.Single => float.TryParse(text, real, culture, out float value) && float.IsFinite(value) ? value
                : throw Wrong(node, path, "a finite number"),
            _ => double.TryParse(text, real, culture, out double value) && double.IsFinite(value) ? value
                : throw Wrong(node, path, "a finite number"),
        };
    }

    /// <summary>The text that <see cref="Parse"/> turns into the same value, bit for bit.</summary>
    public static ScalarNode Format(object value) => value switch
    {
        string text => new ScalarNode("", text, Plain: false),
        bool truth => Plain(truth ? "true" : "false"),
        float or double => Plain(((IFormattable)value).ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant()),
        Enum => Plain(ConfigurationNames.EnumMembers(value.GetType()).First(member => member.Value.Equals(value)).Names[0]),
        _ => Plain(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture)),
    };

    private static object ParseEnum(Type type, ScalarNode node, string path)
    {
        (object Value, string[] Names)[] members = ConfigurationNames.EnumMembers(type);
        foreach ((object value, string[] names) in members)
        {
            if (names.Contains(node.Text, StringComparer.Ordinal))
                return value;
        }

        throw Wrong(node, path, $"one of {string.Join(", ", members.Select(member => member.Names[0]))}");
    }

    private static ScalarNode Plain(string text) => new("", text, Plain: true);

    /// <summary>Limits of the type are told to whom they matter alone.</summary>
    private static string WholeNumber(string text, object least, object most) =>
        BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? $"a whole number from {least} to {most}" : "a whole number";

    private static Engine.SprintException Wrong(ConfigurationNode node, string path, string wanted) =>
        node.Fault($"{path} is {node.Describe()}, but must be {wanted}");
}
