using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="SwiGlu"/> on the CPU: the gate is applied to tiles of the product while they are in cache; backwards one pass over all three.</summary>
internal sealed unsafe class CpuSwiGlu(CpuDevice device) : ISwiGluKernels
{
    private const int Piece = 2048;

    public void Forward(Tensor input, Tensor weight, Tensor bias, Tensor gate, Tensor linear, Tensor product)
    {
        (int rows, int hidden, int inputs) = (checked((int)product.Shape.Rows), weight.Shape[0], weight.Shape[1]);
        MatrixProduct.Multiply(
            device.Pool,
            MatrixOperand.Rows((float*)input.Address, inputs),
            MatrixOperand.Transposed((float*)weight.Address, inputs),
            (float*)product.Address,
            hidden,
            rows,
            hidden,
            inputs,
            accumulate: false,
            new GateEpilogue(
                bias.IsEmpty ? null : (float*)bias.Address, (float*)gate.Address, linear.IsEmpty ? null : (float*)linear.Address, hidden));
    }

    public void Backward(Tensor gate, Tensor linear, Tensor product)
    {
        var job = new BackwardJob((float*)gate.Address, (float*)linear.Address, (float*)product.Address, product.Count);
        device.Pool.Run(ref job, checked((int)((product.Count + Piece - 1) / Piece)));
    }

    private readonly struct BackwardJob(float* gate, float* linear, float* product, long count) : IWorkerJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int index, int worker)
        {
            long end = Math.Min(count, (index + 1L) * Piece);
            for (long i = (long)index * Piece; i < end; i += Lanes.Count)
            {
                int left = (int)(end - i);
                Vector512<float> x = Lanes.Load(linear + i, left), gradient = Lanes.Load(product + i, left);
                Vector512<float> silu = VectorMath.Silu(Lanes.Load(gate + i, left), out Vector512<float> derivative);
                Lanes.Contribute(gradient * x * derivative, gate + i, left, accumulate: false);
                Lanes.Contribute(gradient * silu, linear + i, left, accumulate: false);
                Lanes.Contribute(silu * x, product + i, left, accumulate: false);
            }
        }
    }
}
