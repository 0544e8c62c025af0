namespace Sprint.Model.Objective;

/// <summary>How times of training samples are drawn. Source: SPRINT.md section 4.</summary>
public enum TimeWeighting
{
    /// <summary>Uniform in [0, 1).</summary>
    Uniform,

    /// <summary>z standard normal, s = e^z: t = s / (1 + s) on the linear path, (2/pi) atan(s) on the cosine path.</summary>
    Lognormal,
}
