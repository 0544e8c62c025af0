namespace Sprint.Model.Sampling;

/// <summary>How the velocity is integrated. Source: SPRINT.md section 5.</summary>
public enum SamplerKind
{
    /// <summary>Euler steps of the probability-flow ODE.</summary>
    Ode,

    /// <summary>Euler-Maruyama steps of the reverse SDE with diffusion 2t; the last step adds no noise.</summary>
    Sde,
}

/// <summary>What the unconditional half of guidance is.</summary>
public enum GuidanceKind
{
    /// <summary>No guidance: the conditional model.</summary>
    None,

    /// <summary>Classifier-free guidance: the whole model with the null class.</summary>
    Cfg,

    /// <summary>Path-drop guidance: encoder, fusion with mask tokens and decoder with the null class.</summary>
    Pdg,
}
