using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;

namespace Sprint.Tests.Golden;

/// <summary>A whole transformer block against the reference, and whether some test reads every case of the file.</summary>
[TestFixture]
public sealed class GoldenBlockTests
{
    private static readonly string[] Tested =
    [
        "adamw_wd0", "adamw_wd01", "block", "clip", "clip_under", "gather_keep", "gelu_tanh", "modln", "modln_small", "patch2", "patch4",
        "proj", "restore", "rmsnorm", "rmsnorm_small", "rope16", "rope36", "score", "sdpa", "silu", "swiglu", "swiglu_act", "tdist", "timestep",
    ];

    [Test]
    public void Every_case_of_the_file_is_tested() => Assert.That(
        GoldenFile.Open("units.safetensors").Cases.Order(StringComparer.Ordinal), Is.EqualTo(Tested));

    [Test]
    public void A_block_gives_the_reference_values_and_gradients([Values] bool checkpoints)
    {
        using var unit = new GoldenUnit("block");
        var configuration = new ModelConfiguration
        {
            HiddenSize = 32,
            NumHeads = 2,
            ContextSize = 6,
            PatchSize = 2,
            QNorm = "RMSNorm",
            KNorm = "RMSNorm",
            UseCheckpoint = checkpoints,
        };
        using var rope = new RopeTable(unit.Device, 3, 3, 16);
        using var parameters = new ParameterSet(unit.Device, seed: 1);
        var block = new TransformerBlock(parameters, "b", BlockParts.Of(ModelPart.Middle), configuration, rope);
        Assert.That(parameters.All, Has.Count.EqualTo(12));
        foreach (Parameter parameter in parameters.All)
            parameter.Value.CopyFrom<float>(unit["w." + parameter.Name[2..]]);

        using var tape = new Tape();
        Tensor x = unit.Input("x");
        Tensor conditioning = unit.Input("c_");
        using Tensor y = Apply();
        unit.Output("y", y);
        unit.Backward(tape, y);
        unit.Gradient("x", x);
        unit.Gradient("c_", conditioning);
        foreach (Parameter parameter in parameters.All)
            unit.Gradient("w." + parameter.Name[2..], parameter.Gradient.ToArray());

        // The reference's block takes SiLU(c) itself.
        Tensor Apply()
        {
            using Tensor activated = Silu.Apply(tape, conditioning);
            return block.Apply(tape, x, new BlockConditioning(activated), default);
        }
    }
}
