return await Sprint.Bench.BenchCommandLine.RunAsync(args);
