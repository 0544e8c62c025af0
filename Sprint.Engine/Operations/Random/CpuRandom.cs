using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="RandomNumbers"/> on the CPU.</summary>
internal sealed unsafe class CpuRandom(CpuDevice device) : IRandomKernels
{
    /// <summary>Philox blocks in a piece of work.</summary>
    private const int Piece = 256;

    private const int Words = 4;

    public void Uniform(RandomStream stream, Tensor output) => Run(stream, output, normal: false);

    public void Normal(RandomStream stream, Tensor output) => Run(stream, output, normal: true);

    private void Run(RandomStream stream, Tensor output, bool normal)
    {
        long blocks = (output.Count + Words - 1) / Words;
        var job = new Job(stream, (float*)output.Address, output.Count, normal);
        device.Pool.Run(ref job, checked((int)((blocks + Piece - 1) / Piece)));
    }

    private readonly struct Job(RandomStream stream, float* output, long count, bool normal) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            long first = (long)index * Piece;
            long end = Math.Min(first + Piece, (count + Words - 1) / Words);
            float* values = stackalloc float[Words];
            for (long block = first; block < end; block++)
            {
                (uint word0, uint word1, uint word2, uint word3) = Philox.Block(stream.Seed, stream.Stream, stream.Counter + (ulong)block);
                if (normal)
                {
                    (values[0], values[1]) = Philox.Normal(word0, word1);
                    (values[2], values[3]) = Philox.Normal(word2, word3);
                }
                else
                {
                    (values[0], values[1]) = (Philox.Uniform(word0), Philox.Uniform(word1));
                    (values[2], values[3]) = (Philox.Uniform(word2), Philox.Uniform(word3));
                }

                long start = block * Words;
                int left = (int)Math.Min(Words, count - start);
                new ReadOnlySpan<float>(values, left).CopyTo(new Span<float>(output + start, left));
            }
        }
    }
}
