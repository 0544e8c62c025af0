using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Sprint.Engine;

namespace Sprint.Train;

/// <summary>Compilations on all cores, with their progress on the error stream where that is a terminal.</summary>
internal static class ManyCompilations
{
    /// <summary>Compiles.</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="compile">Does one of them.</param>
    /// <returns>What came of each.</returns>
    /// <exception cref="SprintException">One has failed: the first of them.</exception>
    internal static T[] Run<T>(int count, Func<int, T> compile)
    {
        var results = new T[count];
        var failures = new ConcurrentDictionary<int, Exception>();
        void All(Action done) => Parallel.For(0, count, (i, loop) =>
        {
            try
            {
                results[i] = compile(i);
                done();
            }
            catch (SprintException failure)
            {
                failures[i] = failure;
                loop.Break();
            }
        });
        ErrorProgress.Run("compiling", count, All);
        if (!failures.IsEmpty)
        {
            ExceptionDispatchInfo.Throw(failures.MinBy(static failure => failure.Key).Value);
        }

        return results;
    }
}
