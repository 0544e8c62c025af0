using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary><see cref="SwiGlu"/> by the epilogues of kernels/matrix_product.cu, and by kernels/swiglu.cu behind a product of cuBLAS.</summary>
internal sealed class CudaSwiGlu(CudaDevice device, CudaMatrixProduct products) : ISwiGluKernels
{
    private const int Threads = 256;

    private readonly CudaKernelFamily kernels = new(device, KernelCatalog.SwiGlu);

    public void Forward(Tensor input, Tensor weight, Tensor bias, Tensor gate, Tensor linear, Tensor product) => Multiply(
        MatrixProductForm.Forward, MatrixProductOperation.SwiGlu, input, weight, weight.Shape[0], weight.Shape[1], bias, gate, linear, product);

    public bool FusesBackward(Tensor gradient, Tensor weight) =>
        !products.PrefersBlas(MatrixProductArguments.RowsOf(gradient), weight.Shape[1], weight.Shape[0]);

    public void BackwardProduct(Tensor gradient, Tensor weight, Tensor gate, Tensor linear, Tensor product) => Multiply(
        MatrixProductForm.BackwardInput, MatrixProductOperation.SwiGluBackward, gradient, weight, weight.Shape[1], weight.Shape[0], default, gate, linear, product);

    public void Backward(Tensor gate, Tensor linear, Tensor product) => kernels.Launch(
        product.ElementType,
        "swiglu_backward",
        CudaKernelFamily.Blocks(product.Count, Threads * CudaKernelFamily.VectorLength(product.ElementType)),
        Threads,
        new KernelArguments { gate, linear, product, product.Count });

    private void Multiply(
        MatrixProductForm form, MatrixProductOperation operation, Tensor a, Tensor b, int n, int k, Tensor bias, Tensor gate, Tensor linear, Tensor product)
    {
        MatrixProductArguments arguments = MatrixProductArguments.Dense(form, MatrixProductArguments.RowsOf(product), n, k);
        arguments.A = MatrixProductArguments.Pointer(a);
        arguments.B = MatrixProductArguments.Pointer(b);
        arguments.WriteTo(product, accumulate: false);
        arguments.Operation = operation;
        arguments.Bias = MatrixProductArguments.Pointer(bias);
        arguments.Residual = MatrixProductArguments.Pointer(gate);
        arguments.Auxiliary = MatrixProductArguments.Pointer(linear);
        products.Multiply(form, product.ElementType, arguments);
    }
}
