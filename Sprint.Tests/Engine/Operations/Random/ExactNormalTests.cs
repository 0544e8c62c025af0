using NUnit.Framework;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

public class ExactNormalTests
{
    private const float Unit = 1f / (1 << 24);

    [Test]
    public void LogarithmIsWithinTwoUnitsInTheLastPlace()
    {
        double worst = 0;
        for (int i = 1; i < 1 << 24; i += 37)
        {
            double exact = Math.Log(i * (double)Unit);
            worst = Math.Max(worst, Math.Abs(ExactNormal.Logarithm(i * Unit) - exact) / UnitInTheLastPlace(exact));
        }

        Assert.That(worst, Is.LessThan(2.0).And.GreaterThan(0.0));
        Assert.That(ExactNormal.Logarithm(1), Is.Zero);
    }

    [Test]
    public void CosineAndSineAreWithinTwoUnitsInTheLastPlaceOfOne()
    {
        double worst = 0;
        for (int i = 0; i < 1 << 24; i += 31)
        {
            (float cosine, float sine) = ExactNormal.CosineSine(i * Unit);
            (double exactSine, double exactCosine) = Math.SinCos(2 * Math.PI * i * Unit);
            worst = Math.Max(worst, Math.Max(Math.Abs(cosine - exactCosine), Math.Abs(sine - exactSine)));
        }

        Assert.That(worst, Is.LessThan(2.0 * Unit).And.GreaterThan(0.0));
    }

    [TestCase(0f, 1f, 0f)]
    [TestCase(0.25f, 0f, 1f)]
    [TestCase(0.5f, -1f, 0f)]
    [TestCase(0.75f, 0f, -1f)]
    public void QuartersOfATurnAreExact(float turn, float cosine, float sine) =>
        Assert.That(ExactNormal.CosineSine(turn), Is.EqualTo((cosine, sine)));

    [TestCase(0x00000000u, 0x00000000u, 0x40b89456u, 0x00000000u)]
    [TestCase(0xffffffffu, 0xffffffffu, 0x80000000u, 0x00000000u)]
    [TestCase(0x6627e8d5u, 0xe169c58du, 0x3f7dbb2fu, 0xbf6cb6b3u)]
    [TestCase(0xbc57ac4cu, 0x9b00dbd8u, 0xbf1e1ba1u, 0xbef6d1a9u)]
    public void BitsAreThoseOfTheKernel(uint radiusWord, uint angleWord, uint first, uint second)
    {
        (float one, float two) = ExactNormal.Pair(radiusWord, angleWord);
        Assert.That((BitConverter.SingleToUInt32Bits(one), BitConverter.SingleToUInt32Bits(two)), Is.EqualTo((first, second)));
    }

    [Test]
    public void AMillionPairsHashToTheKernelsOwnHash()
    {
        // FNV-1a over the words of both numbers, computed once from kernels/common/normal.cuh compiled as C++.
        uint hash = 2166136261;
        for (uint i = 0; i < 1_000_000; i++)
        {
            (float one, float two) = ExactNormal.Pair(i * 2654435761u, unchecked((i * 40503u * 65537u) + 12345u));
            hash = (hash ^ BitConverter.SingleToUInt32Bits(one)) * 16777619u;
            hash = (hash ^ BitConverter.SingleToUInt32Bits(two)) * 16777619u;
        }

        Assert.That(hash, Is.EqualTo(0x9a70ae03u));
    }

    private static double UnitInTheLastPlace(double value) => Math.Pow(2, Math.Floor(Math.Log2(Math.Abs(value))) - 23);
}
