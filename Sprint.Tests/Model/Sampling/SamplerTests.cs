using NUnit.Framework;
using Sprint.Engine.Operations;
using Sprint.Model.Sampling;

namespace Sprint.Tests.Model.Sampling;

/// <summary>Samplers on velocities whose paths are known.</summary>
[TestFixture]
public sealed class SamplerTests
{
    [Test]
    public void Ode_times_fall_evenly_from_one_to_zero() =>
        Assert.That(Sampler.Times(SamplerKind.Ode, 4), Is.EqualTo((double[])[1, 0.75, 0.5, 0.25, 0]).Within(1e-15));

    [Test]
    public void Sde_times_fall_evenly_to_the_last_noisy_one_and_then_to_zero()
    {
        Assert.That(Sampler.Times(SamplerKind.Sde, 4), Is.EqualTo((double[])[1, 0.68, 0.36, 0.04, 0]).Within(1e-15));
        Assert.That(Sampler.Times(SamplerKind.Sde, 1), Is.EqualTo((double[])[1, 0]));
    }

    // All data is one point: paths are straight, and Euler steps exact.
    [Test]
    public void The_ode_follows_straight_paths_exactly([Values(1, 2, 7, 50)] int steps)
    {
        double[] data = [3, -2, 0.5];
        double[] state = [0.1, 1.7, -1];
        Sampler.Run(new Field((x, t, i) => (x - data[i]) / t), state, SamplerKind.Ode, steps, FlowPath.Linear, NoNoise);
        Assert.That(state, Is.EqualTo(data).Within(1e-12));
    }

    [Test]
    public void The_ode_takes_euler_steps([Values(1, 3, 20)] int steps)
    {
        double[] state = [1, -2];
        Sampler.Run(new Field((x, _, _) => 0.8 * x), state, SamplerKind.Ode, steps, FlowPath.Linear, NoNoise);
        double factor = Math.Pow(1 - (0.8 / steps), steps);
        Assert.That(state, Is.EqualTo((double[])[factor, -2 * factor]).Within(1e-12));
    }

    [Test]
    public void The_sde_draws_noise_for_every_step_but_the_last([Values(1, 2, 6)] int steps)
    {
        var drawn = new List<int>();
        Sampler.Run(new Field((x, _, _) => x), new double[3], SamplerKind.Sde, steps, FlowPath.Linear, (step, values) =>
        {
            Assert.That(values.Length, Is.EqualTo(3));
            drawn.Add(step);
        });
        Assert.That(drawn, Is.EqualTo(Enumerable.Range(0, steps - 1)));
    }

    // Data of deviation 0.5 around 0: the velocity is linear in x and known, and both samplers must arrive at that deviation.
    // A score of the wrong sign or a diffusion of the wrong size would not.
    [Test]
    public void Samplers_arrive_at_the_distribution_of_the_data([Values] SamplerKind kind, [Values] FlowPath path)
    {
        const double Deviation = 0.5;
        const int Samples = 20000;
        var random = new Random(1);
        double[] state = [.. Enumerable.Range(0, Samples).Select(_ => Normal(random))];
        var field = new Field((x, t, _) =>
        {
            FlowCoefficients at = FlowCoefficients.At(path, t);
            double covariance = (at.Alpha * at.AlphaDerivative * Deviation * Deviation) + (at.Sigma * at.SigmaDerivative);
            return covariance / ((at.Alpha * at.Alpha * Deviation * Deviation) + (at.Sigma * at.Sigma)) * x;
        });
        Sampler.Run(field, state, kind, 200, path, (_, values) =>
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = Normal(random);
        });
        Assert.That(state.Average(), Is.EqualTo(0).Within(4 * Deviation / Math.Sqrt(Samples)));
        Assert.That(Math.Sqrt(state.Average(x => x * x)), Is.EqualTo(Deviation).Within(3).Percent);
    }

    [Test]
    public void Each_step_is_shown_with_the_state_before_it()
    {
        var seen = new List<(int, double, double)>();
        Sampler.Run(new Field((_, _, _) => 2), new double[1], SamplerKind.Ode, 4, FlowPath.Linear, NoNoise, new Recorder(seen));
        Assert.That(seen, Is.EqualTo(((int, double, double)[])[(0, 1, 0), (1, 0.75, -0.5), (2, 0.5, -1), (3, 0.25, -1.5)]));
    }

    [Test]
    public void A_run_can_be_cancelled_between_steps()
    {
        using var source = new CancellationTokenSource();
        int evaluations = 0;
        var field = new Field((x, _, _) =>
        {
            evaluations++;
            source.Cancel();
            return x;
        });
        Assert.That(
            () => Sampler.Run(field, new double[1], SamplerKind.Ode, 5, FlowPath.Linear, NoNoise, cancellation: source.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(evaluations, Is.EqualTo(1));
    }

    [Test]
    public void No_steps_are_refused() => Assert.That(
        () => Sampler.Run(new Field((x, _, _) => x), new double[1], SamplerKind.Ode, 0, FlowPath.Linear, NoNoise),
        Throws.TypeOf<ArgumentOutOfRangeException>());

    private static void NoNoise(int step, Span<double> values) => throw new InvalidOperationException("an ODE has no noise");

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private sealed class Field(Func<double, double, int, double> velocity) : IVelocityField
    {
        public void Velocity(ReadOnlySpan<double> state, double time, Span<double> result)
        {
            for (int i = 0; i < result.Length; i++)
                result[i] = velocity(state[i], time, i);
        }
    }

    private sealed class Recorder(List<(int, double, double)> seen) : ISamplerObserver
    {
        public void Step(int step, double time, ReadOnlySpan<double> state) => seen.Add((step, time, state[0]));
    }
}
