using Sprint.Train;

return await CommandLine.RunAsync(args, Console.Out, Console.Error);
