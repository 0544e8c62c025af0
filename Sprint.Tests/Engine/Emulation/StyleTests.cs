using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Kernels in the styles of public code run unchanged, without false alarms, under several schedules and worker counts.</summary>
public sealed class StyleTests
{
    private static IEnumerable<string> Styles => StyleKernels.Styles.Keys;

    private static IEnumerable<string> Idioms => StyleKernels.Idioms.Keys;

    private static IEnumerable<string> Recipes => StyleKernels.Recipes.Keys;

    [Test]
    public void A_recipe_of_blocks_that_work_together_gives_what_its_source_says([ValueSource(nameof(Recipes))] string kernel)
        => Run("recipes", StyleKernels.Recipes[kernel]);

    [Test]
    public void An_algorithm_gives_what_its_source_says([ValueSource(nameof(Styles))] string kernel)
        => Run("styles", StyleKernels.Styles[kernel]);

    [Test]
    public void An_idiom_gives_what_its_source_says([ValueSource(nameof(Idioms))] string kernel)
        => Run("idioms", StyleKernels.Idioms[kernel]);

    private static void Run(string module, StyleKernels.Check check)
    {
        using EmulatorHarness harness = EmulatorHarness.FromResource(module);
        for (uint run = 0; run < 5; run++)
        {
            harness.Options = new EmulationOptions { Workers = (int)(run % 3) + 1, ScheduleSeed = run * 1234567, Counters = run % 2 == 1 };
            check(harness);
        }
    }
}
