using System.Runtime.CompilerServices;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cpu;

namespace Sprint.Tests.Engine.Cpu;

internal sealed unsafe class WorkerPoolTests
{
    [Test]
    public void Every_index_runs_exactly_once([Values(1, 2, 3, 8)] int threads, [Values(0, 1, 2, 7, 1000)] int count)
    {
        using WorkerPool pool = new(threads);
        for (int repeat = 0; repeat < 50; repeat++)
        {
            CountJob job = new() { Runs = new int[count], HighestWorker = new int[1] };
            pool.Run(ref job, count);

            Assert.That(job.Runs, Is.All.EqualTo(1));
            Assert.That(job.HighestWorker[0], Is.LessThan(threads));
        }
    }

    [Test]
    public void Helpers_that_sleep_wake_up_and_take_part()
    {
        using WorkerPool pool = new(2);
        for (int repeat = 0; repeat < 3; repeat++)
        {
            Thread.Sleep(20);
            MeetingJob job = new() { Meeting = new Barrier(2) };
            pool.Run(ref job, 2);
            Assert.That(job.Meeting.CurrentPhaseNumber, Is.EqualTo(1));
        }
    }

    [Test]
    public void A_thread_that_is_done_takes_over_the_share_of_one_that_is_late([Values(2, 3)] int threads)
    {
        using WorkerPool pool = new(threads);
        for (int repeat = 0; repeat < 20; repeat++)
        {
            // Piece 0 is the caller's and ends when all others have: the rest of its share has to be run by others.
            WaitingJob job = new() { Others = new CountdownEvent(11) };
            pool.Run(ref job, 12);
            Assert.That(job.Others.CurrentCount, Is.Zero);
            Assert.That(job.CameInTime, Is.EqualTo(1));
        }
    }

    [Test]
    public void What_the_job_writes_into_itself_is_there_afterwards([Values(1, 3)] int threads)
    {
        using WorkerPool pool = new(threads);
        SumJob job = default;
        pool.Run(ref job, 101);
        Assert.That(job.Sum, Is.EqualTo(5050));
    }

    [Test]
    public void An_exception_reaches_the_caller_and_the_pool_stays_usable([Values(1, 2, 3)] int threads)
    {
        using WorkerPool pool = new(threads);
        for (int repeat = 0; repeat < 20; repeat++)
        {
            Assert.That(
                () =>
                {
                    ThrowJob job = new() { At = 5 };
                    pool.Run(ref job, 20);
                },
                Throws.TypeOf<SprintException>().With.Message.EqualTo("piece 5"));

            SumJob sum = default;
            pool.Run(ref sum, 11);
            Assert.That(sum.Sum, Is.EqualTo(55));
        }
    }

    [Test]
    public void A_nested_run_completes_with_scratch_memory_of_its_own([Values(1, 2, 3)] int threads)
    {
        using WorkerPool pool = new(threads);
        NestedJob job = new() { Pool = pool, Sums = new long[16], ScratchKept = new bool[16] };
        pool.Run(ref job, 16);

        Assert.That(job.Sums, Is.All.EqualTo(4950));
        Assert.That(job.ScratchKept, Is.All.True);
    }

    [Test]
    public void Calls_from_several_threads_take_turns()
    {
        using WorkerPool pool = new(3);
        long[] sums = new long[4];
        Thread[] callers = [.. Enumerable.Range(0, 4).Select(i => new Thread(() =>
        {
            for (int repeat = 0; repeat < 200; repeat++)
            {
                SumJob job = default;
                pool.Run(ref job, 11);
                sums[i] += job.Sum;
            }
        }))];
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());

        Assert.That(sums, Is.All.EqualTo(200 * 55));
    }

    [Test]
    public void A_warm_run_allocates_nothing([Values(1, 2, 4)] int threads)
    {
        using WorkerPool pool = new(threads);
        ScratchJob job = new() { Pool = pool };
        for (int repeat = 0; repeat < 100; repeat++)
            pool.Run(ref job, 8);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int repeat = 0; repeat < 100; repeat++)
            pool.Run(ref job, 8);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Scratch_is_aligned_distinct_and_kept()
    {
        using WorkerPool pool = new(2);
        using WorkerPool.Exclusive turn = pool.EnterExclusive();
        byte* first = pool.Scratch(0, 1000);
        byte* second = pool.Scratch(1, 1000);
        byte* shared = pool.SharedScratch(1000);
        first[999] = 7;

        Assert.That(((nint)first % 64, (nint)second % 64, (nint)shared % 64), Is.EqualTo(((nint)0, (nint)0, (nint)0)));
        Assert.That(Math.Abs(first - second), Is.GreaterThanOrEqualTo(1000));
        Assert.That(Math.Abs(first - shared), Is.GreaterThanOrEqualTo(1000));
        Assert.That((nint)pool.Scratch(0, 500), Is.EqualTo((nint)first));
        Assert.That(first[999], Is.EqualTo(7));
    }

    [Test]
    public void A_disposed_pool_refuses_work_and_may_be_disposed_again()
    {
        WorkerPool pool = new(3);
        SumJob job = default;
        pool.Run(ref job, 10);
        pool.Dispose();
        pool.Dispose();

        Assert.That(() => pool.Run(ref job, 10), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Disposing_from_inside_a_job_is_refused()
    {
        using WorkerPool pool = new(2);
        Assert.That(
            () =>
            {
                DisposeJob job = new() { Pool = pool };
                pool.Run(ref job, 4);
            },
            Throws.InvalidOperationException);
    }

    [Test]
    public void A_thread_count_out_of_range_is_named([Values(-1, 1025)] int threads)
        => Assert.That(
            () => WorkerPool.Resolve(threads),
            Throws.TypeOf<SprintException>().With.Message.EqualTo($"The number of threads is {threads}; it must be from 0 (as many as there are cores) to 1024."));

    [Test]
    public void No_thread_count_stands_for_the_cores()
        => Assert.That(new[] { 0, 1, 1024 }.Select(WorkerPool.Resolve), Is.EqualTo(new[] { Environment.ProcessorCount, 1, 1024 }));

    private struct CountJob : IWorkerJob
    {
        public int[] Runs;
        public int[] HighestWorker;

        public readonly void Execute(int index, int worker)
        {
            Interlocked.Increment(ref Runs[index]);
            lock (HighestWorker)
                HighestWorker[0] = Math.Max(HighestWorker[0], worker);
        }
    }

    private struct SumJob : IWorkerJob
    {
        public long Sum;

        public void Execute(int index, int worker) => Interlocked.Add(ref Sum, index);
    }

    private struct MeetingJob : IWorkerJob
    {
        public Barrier Meeting;

        public readonly void Execute(int index, int worker) => Meeting.SignalAndWait(TimeSpan.FromSeconds(30));
    }

    private struct WaitingJob : IWorkerJob
    {
        public CountdownEvent Others;
        public int CameInTime;

        public void Execute(int index, int worker)
        {
            if (index == 0)
                CameInTime = Others.Wait(TimeSpan.FromSeconds(30)) ? 1 : 0;
            else
                Others.Signal();
        }
    }

    private struct ThrowJob : IWorkerJob
    {
        public int At;

        public readonly void Execute(int index, int worker)
        {
            if (index == At)
                throw new SprintException($"piece {index}");
        }
    }

    private struct NestedJob : IWorkerJob
    {
        public WorkerPool Pool;
        public long[] Sums;
        public bool[] ScratchKept;

        public readonly void Execute(int index, int worker)
        {
            byte* mine = Pool.Scratch(worker, 256);
            Unsafe.InitBlock(mine, (byte)index, 256);
            InnerJob inner = new() { Pool = Pool };
            Pool.Run(ref inner, 100);
            Sums[index] = inner.Sum;
            ScratchKept[index] = new ReadOnlySpan<byte>(mine, 256).IndexOfAnyExcept((byte)index) < 0;
        }
    }

    private struct InnerJob : IWorkerJob
    {
        public WorkerPool Pool;
        public long Sum;

        public void Execute(int index, int worker)
        {
            Unsafe.InitBlock(Pool.Scratch(worker, 256), 255, 256);
            Sum += index;
        }
    }

    private struct ScratchJob : IWorkerJob
    {
        public WorkerPool Pool;

        public readonly void Execute(int index, int worker) => *Pool.Scratch(worker, 4096) = 1;
    }

    private struct DisposeJob : IWorkerJob
    {
        public WorkerPool Pool;

        public readonly void Execute(int index, int worker) => Pool.Dispose();
    }
}
