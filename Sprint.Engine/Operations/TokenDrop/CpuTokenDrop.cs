using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="TokenDrop"/> on the CPU.</summary>
internal sealed unsafe class CpuTokenDrop(CpuDevice device) : ITokenDropKernels
{
    private const string Name = "token drop";

    public void Select(Tensor uniforms, DropPattern pattern, Tensor ids)
    {
        var job = new SelectJob(
            device.Pool,
            pattern.Kind == DropKind.Structured,
            pattern.GridWidth,
            pattern.Kind == DropKind.Structured ? pattern.GroupSize : 1,
            pattern.Kind == DropKind.Structured ? pattern.GroupSize * pattern.GroupSize : pattern.Tokens,
            pattern.Kind == DropKind.Structured ? pattern.KeptPerGroup : pattern.KeptTokens,
            pattern.Kind == DropKind.Structured ? pattern.Tokens / (pattern.GroupSize * pattern.GroupSize) : 1,
            (float*)uniforms.Address,
            (int*)ids.Address);
        device.Pool.Run(ref job, ids.Shape[0]);
    }

    public void Locate(Tensor ids, Tensor pathDrop, Tensor rows)
    {
        (int batch, int tokens) = (rows.Shape[0], rows.Shape[1]);
        int kept = ids.IsEmpty ? tokens : ids.Shape[1];
        if (!ids.IsEmpty)
        {
            Require.Places(ids, 0, tokens, Name, "token id");
        }

        for (int sample = 0; sample < batch; sample++)
        {
            var map = new Span<int>((int*)rows.Address + ((long)sample * tokens), tokens);
            map.Fill(-1);
            if (!pathDrop.IsEmpty && ((int*)pathDrop.Address)[sample] != 0)
            {
                continue;
            }

            for (int k = 0; k < kept; k++)
            {
                map[ids.IsEmpty ? k : ((int*)ids.Address)[((long)sample * kept) + k]] = (sample * kept) + k;
            }
        }
    }

    public void Gather(Tensor input, Tensor ids, Tensor output)
    {
        Require.Places(ids, 0, input.Shape[1], Name, "token id");
        var job = new GatherJob((float*)input.Address, (int*)ids.Address, (float*)output.Address, input.Shape[1], ids.Shape[1], input.Shape[2], false);
        device.Pool.Run(ref job, input.Shape[0]);
    }

    public void GatherBackward(Tensor gradient, Tensor ids, Tensor inputGradient)
    {
        var job = new GatherJob(
            (float*)inputGradient.Address, (int*)ids.Address, (float*)gradient.Address, inputGradient.Shape[1], ids.Shape[1], gradient.Shape[2], true);
        device.Pool.Run(ref job, gradient.Shape[0]);
    }

    public void Scatter(Tensor input, Tensor rows, Tensor fill, Tensor output)
    {
        Require.Places(rows, -1, input.Shape.Rows, Name, "row");
        int width = output.Shape[2];
        var filler = new ReadOnlySpan<float>((void*)fill.Address, width);
        for (long row = 0; row < rows.Count; row++)
        {
            int source = ((int*)rows.Address)[row];
            ReadOnlySpan<float> from = source < 0 ? filler : new ReadOnlySpan<float>((float*)input.Address + ((long)source * width), width);
            from.CopyTo(new Span<float>((float*)output.Address + (row * width), width));
        }
    }

    public void ScatterBackward(Tensor gradient, Tensor rows, Tensor inputGradient, Tensor fillGradient)
    {
        int width = gradient.Shape[2];
        for (long row = 0; row < rows.Count; row++)
        {
            int source = ((int*)rows.Address)[row];
            Tensor destination = source < 0 ? fillGradient : inputGradient;
            if (!destination.IsEmpty)
            {
                float* sum = (float*)destination.Address + (Math.Max(source, 0) * (long)width);
                float* dy = (float*)gradient.Address + (row * width);
                for (int i = 0; i < width; i += Lanes.Count)
                {
                    Lanes.Contribute(Lanes.Load(dy + i, width - i), sum + i, width - i, accumulate: true);
                }
            }
        }
    }

    /// <summary>
    /// One sample: in each group, token by token, the rank of its uniform among the group's. Structured keeps the highest
    /// ranks by falling value, random (one group of all tokens) the lowest by rising value.
    /// </summary>
    private readonly struct SelectJob(
        WorkerPool pool,
        bool structured,
        int gridWidth,
        int groupSize,
        int groupTokens,
        int kept,
        int groups,
        float* uniforms,
        int* ids)
        : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            var order = new Span<ulong>(pool.Scratch(worker, (long)groupTokens * sizeof(ulong)), groupTokens);
            int groupsPerRow = structured ? gridWidth / groupSize : 1;
            for (int group = 0; group < groups; group++)
            {
                var values = new ReadOnlySpan<float>(uniforms + ((((long)index * groups) + group) * groupTokens), groupTokens);
                Sort(values, order);
                int* selected = ids + ((((long)index * groups) + group) * kept);
                for (int k = 0; k < kept; k++)
                {
                    int member = (int)(uint)order[k];
                    selected[k] = structured
                        ? (((group / groupsPerRow * groupSize) + (member / groupSize)) * gridWidth) + (group % groupsPerRow * groupSize) + (member % groupSize)
                        : member;
                }
            }
        }

        /// <summary>
        /// Sorts without a comparer, which would be an object: the bits of numbers from 0 on are in the order of their values,
        /// and the index below them puts the first of equal ones first.
        /// </summary>
        private void Sort(ReadOnlySpan<float> values, Span<ulong> order)
        {
            for (int i = 0; i < order.Length; i++)
            {
                uint bits = BitConverter.SingleToUInt32Bits(values[i]);
                order[i] = ((ulong)(structured ? ~bits : bits) << 32) | (uint)i;
            }

            order.Sort();
        }
    }

    private readonly struct GatherJob(float* full, int* ids, float* kept, int tokens, int keptTokens, int width, bool backward) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            for (int k = 0; k < keptTokens; k++)
            {
                long row = ((long)index * keptTokens) + k;
                float* outer = full + ((((long)index * tokens) + ids[row]) * width);
                float* inner = kept + (row * width);
                if (!backward)
                {
                    new ReadOnlySpan<float>(outer, width).CopyTo(new Span<float>(inner, width));
                    continue;
                }

                for (int i = 0; i < width; i += Lanes.Count)
                {
                    Lanes.Contribute(Lanes.Load(inner + i, width - i), outer + i, width - i, accumulate: true);
                }
            }
        }
    }
}
