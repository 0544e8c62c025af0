using NUnit.Framework;

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

    [Test]
    public void The_asserts_throw()
    {
        Assert.That(() => Comparer.AssertClose("x", (float[])[1], (double[])[2], 0.1), Throws.InstanceOf<AssertionException>());
        Assert.That(() => Comparer.AssertClose("x", (float[])[1], (float[])[2], 0.1), Throws.InstanceOf<AssertionException>());
        Assert.That(() => Comparer.AssertSameBits("x", [1], [2]), Throws.InstanceOf<AssertionException>());
    }
}
