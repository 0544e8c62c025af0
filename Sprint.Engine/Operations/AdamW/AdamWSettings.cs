namespace Sprint.Engine.Operations;

/// <summary>The numbers of one AdamW update. Source: SPRINT.md section 4; Loshchilov and Hutter, ICLR 2019.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="Step">1 for the first update: corrects the moments' bias.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled weight decay, times the learning rate.</param>
/// <param name="MaximumNorm">Global L2 norm to which gradients are clipped; infinity for none.</param>
/// <param name="AverageDecay">Decay of the exponential moving average of the parameters.</param>
public readonly record struct AdamWSettings(
    double LearningRate,
    long Step,
    double Beta1 = 0.9,
    double Beta2 = 0.999,
    double Epsilon = 1e-8,
    double WeightDecay = 0,
    double MaximumNorm = 1,
    double AverageDecay = 0.9999);
