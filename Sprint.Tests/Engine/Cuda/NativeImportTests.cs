using System.Reflection;
using System.Runtime.InteropServices;
using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>Against the real libraries, which need no GPU for this.</summary>
public class NativeImportTests
{
    public static IEnumerable<TestCaseData> Imports()
    {
        foreach ((Type type, CudaLibrary library) in new[]
        {
            (typeof(DriverApi), CudaLibrary.Driver), (typeof(NvrtcApi), CudaLibrary.Compiler), (typeof(CublasApi), CudaLibrary.Blas), (typeof(CublasLtApi), CudaLibrary.CublasLt),
        })
        {
            foreach (MethodInfo method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            {
                yield return new TestCaseData(library, method).SetArgDisplayNames(method.Name);
            }
        }
    }

    [TestCaseSource(nameof(Imports))]
    public void EveryImportedSymbolResolves(object library, MethodInfo method)
    {
        nint handle = CudaRequirements.RequireLibrary((CudaLibrary)library);
        bool resolves = NativeLibrary.TryGetExport(handle, method.Name, out _);
        if (!resolves && method.GetCustomAttribute<NewerDriverAttribute>() is { } newer)
        {
            Assert.That(InstalledVersion((CudaLibrary)library), Is.LessThan(Version.Parse(newer.Since)), $"{method.Name} is missing although the library should have it.");
            return;
        }

        Assert.That(resolves, Is.True, $"{method.Name} is not exported.");
    }

    [Test]
    public void TheListOfImportsIsNotEmpty() => Assert.That(Imports().Count(), Is.GreaterThan(60));

    [Test]
    public void DriverWithoutADeviceGivesTheClearSentence()
    {
        CudaRequirements.RequireLibrary(CudaLibrary.Driver);
        int status = DriverApi.cuInit(0);
        if (status == DriverStatus.Success)
        {
            Assert.That(NativeCudaDriver.Load().DeviceCount, Is.GreaterThan(0));
            return;
        }

        CudaException missing = Assert.Throws<CudaException>(static () => NativeCudaDriver.Load())!;
        Assert.That(missing.ErrorCode, Is.EqualTo(status));
        Assert.That(missing.Call, Is.EqualTo("cuInit"));
        Assert.That(missing.ErrorName, Does.StartWith("CUDA_ERROR_"));
        Assert.That(missing.Message, Does.StartWith("No CUDA device can be used: cuInit failed with " + missing.ErrorName));
        Assert.That(missing.Message, Does.Contain("--device emulated"));
        Assert.That(missing.Message, Does.Not.Contain("\n"));
    }

    [Test]
    public void MissingDeviceIsDescribedTheSameWhicheverCallFindsIt()
    {
        CudaException missing = NativeCudaDriver.NoDevice(100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected");
        Assert.That(
            missing.Message,
            Does.StartWith("No CUDA device can be used: cuInit failed with CUDA_ERROR_NO_DEVICE (100: no CUDA-capable device is detected); check with `nvidia-smi`"));
    }

    [TestCase(11080, "11.8")]
    [TestCase(12020, "12.2")]
    [TestCase(13000, "13.0")]
    public void VersionsAreDecoded(int version, string expected) =>
        Assert.That(NativeCudaDriver.DecodeVersion(version), Is.EqualTo(Version.Parse(expected)));

    [Test]
    public void ErrorsHaveNamesAndDescriptions()
    {
        CudaRequirements.RequireLibrary(CudaLibrary.Driver);
        Assert.That(NativeCudaDriver.Describe(DriverStatus.OutOfMemory), Is.EqualTo(("CUDA_ERROR_OUT_OF_MEMORY", "out of memory")));
        Assert.That(NativeCudaDriver.Describe(987654).Name, Is.EqualTo("an error that this driver does not know"));
    }

    [Test]
    public void CublasWithoutADeviceFailsWithAStatusAndNotWithACrash()
    {
        CudaRequirements.RequireLibrary(CudaLibrary.Blas);
        int status = CublasApi.cublasCreate_v2(out nint handle);
        if (status == 0)
        {
            Assert.That(CublasApi.cublasDestroy_v2(handle), Is.Zero);
        }
        else
        {
            Assert.That(Marshal.PtrToStringUTF8(CublasApi.cublasGetStatusName(status)), Is.EqualTo("CUBLAS_STATUS_NOT_INITIALIZED"));
        }
    }

    private static Version InstalledVersion(CudaLibrary library)
    {
        Assert.That(library, Is.EqualTo(CudaLibrary.Driver), "Only the driver's symbols may be missing.");
        Assert.That(DriverApi.cuDriverGetVersion(out int version), Is.Zero);
        return NativeCudaDriver.DecodeVersion(version);
    }
}
