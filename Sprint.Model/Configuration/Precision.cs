using Sprint.Engine;

namespace Sprint.Model.Configuration;

/// <summary>In what a model computes. Parameters, their moments, averages and gradients are float32 either way, and so is what is saved.</summary>
public enum Precision
{
    /// <summary>Everything float32.</summary>
    Fp32,

    /// <summary>
    /// Mixed precision: activations, their gradients and a shadow of the weights are bfloat16, products run on tensor cores with float32 sums.
    /// </summary>
    Bf16,
}

/// <summary>What a precision means for tensors.</summary>
public static class Precisions
{
    /// <summary>What the activations of the transformer, and the weights that it multiplies them with, are stored as.</summary>
    /// <param name="precision">The precision.</param>
    public static ElementType ElementType(this Precision precision) => precision == Precision.Bf16 ? Engine.ElementType.BFloat16 : Engine.ElementType.Float32;

    /// <summary>The name that users give and read.</summary>
    /// <param name="precision">The precision.</param>
    public static string Name(this Precision precision) => precision == Precision.Bf16 ? "bf16" : "fp32";

    /// <summary>Refuses a precision in which a device does not compute.</summary>
    /// <param name="precision">The precision.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="SprintException">The device has no such operations.</exception>
    public static void RequireOn(this Precision precision, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (!device.Computes(precision.ElementType()))
        {
            throw new SprintException(
                $"device {device.Name} computes in float32 only, not in {precision.Name()}: choose --precision fp32, or a device with tensor cores (cuda, emulated)");
        }
    }
}
