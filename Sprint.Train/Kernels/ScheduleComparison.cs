using System.Globalization;
using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>A launch that is run again under other schedules: it must do nothing wrong under any, and what it leaves in its buffers may depend on them.</summary>
internal static class ScheduleComparison
{
    /// <summary>Runs the launch under schedules that follow its own, with their progress on the error stream where that is a terminal.</summary>
    /// <param name="request">The launch.</param>
    /// <param name="first">How it ran under its own schedule.</param>
    /// <param name="schedules">Schedules in all, from 1.</param>
    /// <returns>A sentence for each buffer that depends on the schedule.</returns>
    /// <exception cref="KernelFaultException">The kernel did something wrong under one of them.</exception>
    internal static IReadOnlyList<string> Run(LaunchRequest request, KernelRun first, int schedules)
    {
        DifferingElements[] differences = [.. first.Buffers.Select(static buffer => new DifferingElements(buffer.Name, buffer.Data))];
        void All(Action done)
        {
            for (int k = 1; k < schedules; k++)
            {
                ulong schedule = request.ScheduleSeed + (ulong)k;
                KernelRun run = KernelRun.Execute(request with { ScheduleSeed = schedule }, counters: false, first.Image);
                for (int i = 0; i < differences.Length; i++)
                {
                    differences[i].Compare(run.Buffers[i].Data, schedule);
                }

                done();
            }
        }

        ErrorProgress.Run("schedules", schedules - 1, All);
        return [.. differences.Select(difference => difference.Describe(request.ScheduleSeed)).OfType<string>()];
    }

    /// <summary>The elements of a buffer that are not the same after every run.</summary>
    private sealed class DifferingElements(string name, BufferData expected)
    {
        private readonly bool[] differs = new bool[expected.Count];
        private string? example;

        internal void Compare(BufferData actual, ulong schedule)
        {
            int size = expected.Type.ElementSize();
            if (expected.Bytes.AsSpan().SequenceEqual(actual.Bytes))
            {
                return;
            }

            for (int k = 0; k < differs.Length; k++)
            {
                ReadOnlySpan<byte> before = expected.Bytes.AsSpan(k * size, size), now = actual.Bytes.AsSpan(k * size, size);
                if (before.SequenceEqual(now))
                {
                    continue;
                }

                differs[k] = true;
                example ??= string.Create(CultureInfo.InvariantCulture, $"element {k} is {Number(before)} at first and {Number(now)} under --schedule {schedule}");
            }
        }

        internal string? Describe(ulong schedule) => example is null
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{name} depends on the schedule: {differs.Count(static element => element)} of {differs.Length} elements are not the same as under --schedule {schedule}; {example}");

        private string Number(ReadOnlySpan<byte> element) => SafetensorsElements.Read(expected.Type, element).ToString("G9", CultureInfo.InvariantCulture);
    }
}
