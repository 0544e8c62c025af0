using Sprint.Engine;
using Sprint.Model.Verification;

using var device = new CpuDevice { PoisonsMemory = true };
var verifier = new GoldenVerifier(device, args[1]);
foreach (string file in verifier.CaseFiles)
{
    foreach (GoldenCase result in verifier.Run(file))
    {
        Console.WriteLine($"{result.Name,-30} {(result.Passes ? "ok" : "FAIL")} {result.Comparisons.Count} {result.Worst} {result.Failure}");
    }
}

return 0;
