using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>What must hold of the results of attention's kernels.</summary>
internal static class AttentionComparison
{
    /// <summary>
    /// In float32 close to double precision; in bfloat16 at most twice as far from it as the plain implementation in bfloat16, three times for gradients.
    /// A score of 20 is exact to 1e-6 in float32, and so are then the weights; of larger scores accordingly less can be asked.
    /// </summary>
    internal static void AssertRight(AttentionSample sample, AttentionResults actual, double largestScore = 20)
    {
        AttentionResults exact = sample.Run(static value => value);
        double lost = largestScore / 20;
        bool isFloat = sample.Element == KernelCatalog.FloatElement;
        AttentionResults plain = isFloat ? exact : sample.Run(AttentionSample.RoundToBFloat16);
        double[] Part(AttentionResults results, int part) => sample.Part(results.QkvGradient, part);

        // A score is made of rows rounded to bfloat16, in the plain implementation too; a few may happen to be exact there.
        Check("log-sum-exp", isFloat ? 2e-6 : 1.0 / 256, 2, actual.LogSumExp, exact.LogSumExp, plain.LogSumExp, floor: 1);
        Check("output", 2e-6 * lost, 2, actual.Output, exact.Output, plain.Output, floor: 1);
        foreach ((string name, int part) in (ReadOnlySpan<(string, int)>)[("gradient of q", 0), ("gradient of k", 1), ("gradient of v", 2)])
            Check(name, 5e-6 * lost, 3, Part(actual, part), Part(exact, part), Part(plain, part), floor: 0.1);
        if (!sample.Norm)
            return;
        Check("gradient of q's norm", 5e-6, 3, actual.QueryWeightGradient!, exact.QueryWeightGradient!, plain.QueryWeightGradient!, floor: 1);
        Check("gradient of k's norm", 5e-6, 3, actual.KeyWeightGradient!, exact.KeyWeightGradient!, plain.KeyWeightGradient!, floor: 1);
    }

    /// <summary>The same bits.</summary>
    internal static void AssertSame(AttentionResults actual, AttentionResults expected)
    {
        Assert.That(actual.Output, Is.EqualTo(expected.Output), "output");
        Assert.That(actual.LogSumExp, Is.EqualTo(expected.LogSumExp), "log-sum-exp");
        Assert.That(actual.QkvGradient, Is.EqualTo(expected.QkvGradient), "gradient of qkv");
        Assert.That(actual.QueryWeightGradient, Is.EqualTo(expected.QueryWeightGradient), "gradient of q's norm");
        Assert.That(actual.KeyWeightGradient, Is.EqualTo(expected.KeyWeightGradient), "gradient of k's norm");
    }

    // Allowed is what float32 rounds, of the largest number or the floor, or a multiple of the plain implementation's error.
    private static void Check(string name, double tolerance, double factor, double[] actual, double[] exact, double[] plain, double floor)
    {
        double largest = Math.Max(floor, exact.Max(Math.Abs)), error = Error(actual, exact), allowed = Math.Max(tolerance * largest, factor * Error(plain, exact));
        TestContext.Out.WriteLine($"{name}: largest {largest:G3}, error {error:E1}, allowed {allowed:E1}");
        if (!(error <= allowed))
            Assert.Fail($"{name} is off by {error:E1} where the largest is {largest:G3}; {allowed:E1} is allowed");
    }

    private static double Error(double[] actual, double[] exact)
    {
        Assert.That(actual, Has.Length.EqualTo(exact.Length));
        double worst = 0;
        for (int i = 0; i < exact.Length; i++)
        {
            double error = Math.Abs(actual[i] - exact[i]);
            if (!(error <= worst))
                worst = error;
            if (double.IsNaN(worst))
                break;
        }

        return worst;
    }
}
