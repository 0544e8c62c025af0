using NUnit.Framework;
using Sprint.Tests.Engine;

namespace Sprint.Tests;

/// <summary>The comparer must fail where it should: all other tests rest on it.</summary>
[TestFixture]
public sealed class ComparerTests
{
    [Test]
    public void Equal_numbers_pass() => Assert.That(Comparer.Difference("x", [1, -2], [1, -2], 0, 1e-3), Is.Null);

    [Test]
    public void An_error_within_the_tolerance_of_the_largest_passes() =>
        Assert.That(Comparer.Difference("x", [1.0009f, 100], [1, 100], 1e-5, 1e-3), Is.Null);

    [Test]
    public void An_error_beyond_it_fails_with_its_place_and_size() => Assert.That(
        Comparer.Difference("x", [100, 1.5f, 2.25f], [100, 1.5, 2], 1e-3, 1e-3),
        Does.Contain("x[2] is 2.25, should be 2").And.Contain("2.5E-003").And.Contain("1.0E-003"));

    [TestCase(float.NaN, 1.0)]
    [TestCase(1f, double.NaN)]
    [TestCase(float.PositiveInfinity, 1.0)]
    [TestCase(1f, double.PositiveInfinity)]
    [TestCase(float.PositiveInfinity, double.PositiveInfinity)]
    public void What_is_not_finite_fails(float actual, double expected)
    {
        Assert.That(Comparer.Difference("x", [0, actual, 5], [0, expected, 5], 1e-3, 1e-3), Does.Contain("x[1]"));
        Assert.That(Comparer.Difference("x", [0, 5, actual], [0, 500, expected], 1, 1e-3), Does.Contain("x["));
    }

    [Test]
    public void An_error_on_numbers_near_zero_is_relative_to_the_floor()
    {
        Assert.That(Comparer.Difference("x", [1e-9f], [0], 1e-5, 1e-3), Is.Null);
        Assert.That(Comparer.Difference("x", [1e-7f], [0], 1e-5, 1e-3), Is.Not.Null);
    }

    [Test]
    public void Another_length_fails()
    {
        Assert.That(Comparer.Difference("x", [1], [1, 2], 1, 1), Does.Contain("has 1 numbers, should have 2"));
        Assert.That(Comparer.BitDifference("x", [1], [1, 2]), Does.Contain("has 1 numbers, should have 2"));
    }

    [Test]
    public void Bits_are_compared_not_values()
    {
        Assert.That(Comparer.BitDifference("x", [1, float.NaN], [1, float.NaN]), Is.Null);
        Assert.That(Comparer.BitDifference("x", [1, 0f], [1, -0f]), Does.Contain("x[1]"));
        Assert.That(Comparer.BitDifference("x", [MathF.BitIncrement(1)], [1]), Does.Contain("x[0]"));
    }

    // The plain implementation is off by 0.25 of at most 10: 0.5 is allowed for outputs.
    [TestCase(0.5f, true)]
    [TestCase(0.51f, false)]
    [TestCase(float.NaN, false)]
    public void In_low_precision_an_error_may_be_twice_that_of_the_plain_implementation(float error, bool passes)
    {
        Action compare = () => LowPrecision.AssertClose("x", [10, 1 + error], [9.75f, 1], [10, 1], LowPrecision.Outputs, 1e-6);
        Assert.That(() => compare(), passes ? Throws.Nothing : Throws.InstanceOf<AssertionException>());
    }

    [TestCase(1.001f, 1f)]
    [TestCase(1f, float.NaN)]
    [TestCase(1f, float.PositiveInfinity)]
    public void In_low_precision_nothing_is_allowed_where_the_plain_implementation_is_exact_or_no_number(float actual, float plain) => Assert.That(
        () => LowPrecision.AssertClose("x", [actual], [plain], [1], LowPrecision.Outputs, 1e-6), Throws.InstanceOf<AssertionException>());

    [Test]
    public void The_asserts_throw()
    {
        Assert.That(() => Comparer.AssertClose("x", (float[])[1], (double[])[2], 0.1), Throws.InstanceOf<AssertionException>());
        Assert.That(() => Comparer.AssertClose("x", (float[])[1], (float[])[2], 0.1), Throws.InstanceOf<AssertionException>());
        Assert.That(() => Comparer.AssertSameBits("x", [1], [2]), Throws.InstanceOf<AssertionException>());
    }
}
