using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary>
/// <see cref="Attention"/> on the CPU: one piece of work is one head of one sample. The gradients of the norm weights are summed
/// over samples and heads in that order.
/// </summary>
internal sealed unsafe class CpuAttention(CpuDevice device) : IAttentionKernels
{
    public void Forward(Tensor qkv, in AttentionArguments arguments, Tensor output, Tensor logSumExp)
    {
        if (!arguments.TokenIds.IsEmpty)
        {
            Require.Places(arguments.TokenIds, 0, arguments.Cosines.Shape[0], "attention", "token id");
        }

        CpuAttentionProblem problem = Problem(qkv, arguments);
        var job = new ForwardJob(
            device.Pool,
            problem,
            (float*)qkv.Address,
            Ids(arguments),
            (float*)output.Address,
            (float*)logSumExp.Address,
            CpuAttentionForward.ScratchBytes(problem.Tokens, problem.HeadSize));
        device.Pool.Run(ref job, qkv.Shape[0] * problem.Heads);
    }

    public void Backward(
        Tensor gradient,
        Tensor qkv,
        in AttentionArguments arguments,
        Tensor output,
        Tensor logSumExp,
        Tensor qkvGradient,
        Tensor queryNormGradient,
        Tensor keyNormGradient)
    {
        CpuAttentionProblem problem = Problem(qkv, arguments);
        int pieces = qkv.Shape[0] * problem.Heads;
        using Tensor queryPartials = device.Workspace(new Shape(pieces, problem.HeadSize));
        using Tensor keyPartials = device.Workspace(new Shape(pieces, problem.HeadSize));
        var job = new BackwardJob(
            device.Pool,
            problem,
            (float*)gradient.Address,
            (float*)output.Address,
            (float*)qkv.Address,
            (float*)logSumExp.Address,
            Ids(arguments),
            (float*)qkvGradient.Address,
            (float*)queryPartials.Address,
            (float*)keyPartials.Address,
            CpuAttentionBackward.ScratchBytes(problem.Tokens, problem.HeadSize));
        device.Pool.Run(ref job, pieces);
        SumPartials(queryPartials, queryNormGradient);
        SumPartials(keyPartials, keyNormGradient);
    }

    private static CpuAttentionProblem Problem(Tensor qkv, in AttentionArguments arguments) => new()
    {
        Tokens = qkv.Shape[1],
        Heads = arguments.Heads,
        HeadSize = qkv.Shape[2] / (3 * arguments.Heads),
        QueryNormWeight = arguments.QueryNormWeight.IsEmpty ? null : (float*)arguments.QueryNormWeight.Address,
        KeyNormWeight = arguments.KeyNormWeight.IsEmpty ? null : (float*)arguments.KeyNormWeight.Address,
        CosTable = (float*)arguments.Cosines.Address,
        SinTable = (float*)arguments.Sines.Address,
    };

    private static int* Ids(in AttentionArguments arguments) => arguments.TokenIds.IsEmpty ? null : (int*)arguments.TokenIds.Address;

    private void SumPartials(Tensor partials, Tensor sum)
    {
        if (!sum.IsEmpty)
        {
            ColumnSums.Run(device, (float*)partials.Address, partials.Shape[0], partials.Shape[1], (float*)sum.Address, accumulate: true);
        }
    }

    private readonly struct ForwardJob(
        WorkerPool pool, CpuAttentionProblem problem, float* qkv, int* ids, float* output, float* logSumExp, long scratchBytes)
        : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            (int sample, int head) = (index / problem.Heads, index % problem.Heads);
            CpuAttentionForward.Run(
                problem,
                qkv + ((long)sample * problem.Tokens * problem.QkvStride),
                ids == null ? null : ids + ((long)sample * problem.Tokens),
                head,
                output + ((long)sample * problem.Tokens * problem.OutStride),
                logSumExp + ((long)sample * problem.Heads * problem.Tokens),
                pool.Scratch(worker, scratchBytes));
        }
    }

    private readonly struct BackwardJob(
        WorkerPool pool,
        CpuAttentionProblem problem,
        float* gradient,
        float* output,
        float* qkv,
        float* logSumExp,
        int* ids,
        float* qkvGradient,
        float* queryPartials,
        float* keyPartials,
        long scratchBytes)
        : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            (int sample, int head) = (index / problem.Heads, index % problem.Heads);
            long row = (long)sample * problem.Tokens;
            CpuAttentionBackward.Run(
                problem,
                gradient + (row * problem.OutStride),
                output + (row * problem.OutStride),
                qkv + (row * problem.QkvStride),
                logSumExp + (row * problem.Heads),
                ids == null ? null : ids + row,
                head,
                qkvGradient + (row * problem.QkvStride),
                queryPartials + ((long)index * problem.HeadSize),
                keyPartials + ((long)index * problem.HeadSize),
                pool.Scratch(worker, scratchBytes));
        }
    }
}
