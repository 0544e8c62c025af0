namespace Sprint.Engine.Operations;

/// <summary>What a device does for <see cref="TokenDrop"/>.</summary>
public interface ITokenDropKernels
{
    /// <summary>Chooses kept tokens by their uniforms.</summary>
    /// <param name="uniforms">
    /// Structured: (batch, groups, groupSize^2), the largest are kept, by falling value. Random: (batch, tokens), the smallest
    /// are kept, by rising value. Equal values: the lower index first.
    /// </param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="ids">(batch, keptTokens) int32, overwritten with token numbers in the full grid.</param>
    void Select(Tensor uniforms, DropPattern pattern, Tensor ids);

    /// <summary>For each token of the full grid the row of its kept copy, or -1.</summary>
    /// <param name="ids">(batch, keptTokens) int32, or empty where every token is kept in its place.</param>
    /// <param name="pathDrop">(batch) int32: 1 where a sample loses all its kept tokens; or empty.</param>
    /// <param name="rows">(batch, tokens) int32, overwritten with <c>sample * keptTokens + index</c> or -1.</param>
    void Locate(Tensor ids, Tensor pathDrop, Tensor rows);

    /// <summary><c>output[b, k] = input[b, ids[b, k]]</c>.</summary>
    /// <param name="input">(batch, tokens, width).</param>
    /// <param name="ids">(batch, keptTokens) int32, no id twice in a sample.</param>
    /// <param name="output">(batch, keptTokens, width), overwritten.</param>
    void Gather(Tensor input, Tensor ids, Tensor output);

    /// <summary><c>inputGradient[b, ids[b, k]] += gradient[b, k]</c>.</summary>
    /// <param name="gradient">(batch, keptTokens, width).</param>
    /// <param name="ids">(batch, keptTokens) int32, no id twice in a sample.</param>
    /// <param name="inputGradient">(batch, tokens, width), added to.</param>
    void GatherBackward(Tensor gradient, Tensor ids, Tensor inputGradient);

    /// <summary><c>output[b, n] = input's row rows[b, n]</c>, or the fill where that is -1.</summary>
    /// <param name="input">(batch, keptTokens, width).</param>
    /// <param name="rows">(batch, tokens) int32.</param>
    /// <param name="fill">(width).</param>
    /// <param name="output">(batch, tokens, width), overwritten.</param>
    void Scatter(Tensor input, Tensor rows, Tensor fill, Tensor output);

    /// <summary>Gradients of <see cref="Scatter"/>.</summary>
    /// <param name="gradient">(batch, tokens, width): of the output.</param>
    /// <param name="rows">(batch, tokens) int32.</param>
    /// <param name="inputGradient">(batch, keptTokens, width), set to zero before and added to; or empty.</param>
    /// <param name="fillGradient">(width), added to; or empty.</param>
    void ScatterBackward(Tensor gradient, Tensor rows, Tensor inputGradient, Tensor fillGradient);
}
