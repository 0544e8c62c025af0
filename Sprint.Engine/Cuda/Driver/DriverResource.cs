using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>
/// One thing owned in a driver: freed exactly once, by its owner's Dispose or else by the garbage collector, never before what depends
/// on it: each resource keeps its context (and a pool allocation its stream) alive.
/// </summary>
internal sealed class DriverResource : SafeHandle
{
    private readonly ICudaDriver driver;
    private readonly ContextHandle context;
    private readonly DriverResource? owner;
    private readonly Action<ICudaDriver, nint, nint> release;

    /// <summary>Takes ownership.</summary>
    /// <param name="driver">The driver.</param>
    /// <param name="context">The context to make current for the release; the default value where none is needed.</param>
    /// <param name="owner">What must outlive this resource, or null. Its value is the release's second argument.</param>
    /// <param name="value">The driver's value.</param>
    /// <param name="release">Frees the value.</param>
    public DriverResource(ICudaDriver driver, ContextHandle context, DriverResource? owner, nint value, Action<ICudaDriver, nint, nint> release)
        : base(0, ownsHandle: true)
    {
        this.driver = driver;
        this.context = context;
        this.release = release;
        if (owner is not null)
        {
            bool added = false;
            owner.DangerousAddRef(ref added);
            this.owner = owner;
        }

        SetHandle(value);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The driver's value.</summary>
    /// <exception cref="ObjectDisposedException">The resource was freed.</exception>
    public nint Value
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        bool pushed = false;
        try
        {
            if (context != default)
            {
                driver.PushContext(context);
                pushed = true;
            }

            release(driver, handle, owner?.handle ?? 0);
            return true;
        }
        catch (SprintException)
        {
            // A lost context, or a process that ends: the memory is gone with it, and a finaliser must not throw.
            return false;
        }
        finally
        {
            if (pushed)
            {
                driver.PopContext();
            }

            owner?.DangerousRelease();
        }
    }
}
