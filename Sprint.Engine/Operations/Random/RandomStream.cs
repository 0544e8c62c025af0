namespace Sprint.Engine.Operations;

/// <summary>
/// A stream of random numbers that is a pure function of (seed, stream, counter): number i of a fill comes from Philox 4x32-10
/// block <c>counter + i/4</c>, word <c>i % 4</c>, with the seed as key. The same on every device and for any number of threads;
/// nothing has to be saved to continue it. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
/// </summary>
/// <param name="Seed">The key.</param>
/// <param name="Stream">The upper 64 bits of Philox's counter: one for each purpose and step.</param>
/// <param name="Counter">The lower 64 bits: the first block.</param>
public readonly record struct RandomStream(ulong Seed, ulong Stream, ulong Counter = 0);
