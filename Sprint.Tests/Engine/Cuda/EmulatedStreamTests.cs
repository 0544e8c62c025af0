using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>In which order the emulated device runs what was put into streams.</summary>
public sealed class EmulatedStreamTests
{
    private const int Seeds = 24;

    [Test]
    public void NothingRunsBeforeItIsWaitedForAndPinnedMemoryIsReadThen()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaStream stream = new(context);
        using CudaDeviceVariable<int> variable = new(context, 4);
        using CudaPinnedMemory<int> there = new(context, 4);
        using CudaPinnedMemory<int> back = new(context, 4);
        there.Span.Fill(1);
        back.Span.Clear();
        variable.CopyToDeviceAsync(there, stream);
        variable.CopyToHostAsync(back, stream);
        there.Span.Fill(2);
        Assert.That(back.Span.ToArray(), Is.All.Zero);
        stream.Synchronize();
        Assert.That(back.Span.ToArray(), Is.All.EqualTo(2), "the copy read what lay there when it ran");
    }

    [Test]
    public void AMissingEventIsFoundAndAnEventMendsIt([Values] bool hasEvent)
    {
        HashSet<int> seen = [];
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            seen.Add(ReadAcrossStreams(seed, hasEvent));
        }

        Assert.That(seen, Is.EquivalentTo(hasEvent ? new[] { 0x01010101 } : [0, 0x01010101]));
    }

    [Test]
    public void AMissingWaitBeforeOverwritingIsFound([Values] bool hasEvent)
    {
        HashSet<int> seen = [];
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            using CudaContext context = CudaContext.Emulated(new EmulationOptions { ScheduleSeed = seed });
            using CudaStream reader = new(context);
            using CudaStream writer = new(context);
            using CudaEvent read = new(context, timing: false);
            using CudaDeviceVariable<int> shared = new(context, 1);
            using CudaPinnedMemory<int> back = new(context, 1);
            shared.Memset(0);
            context.Synchronize();
            shared.CopyToHostAsync(back, reader);
            read.Record(reader);
            if (hasEvent)
            {
                writer.WaitFor(read);
            }

            shared.Memset(1, writer);
            context.Synchronize();
            seen.Add(back.Span[0]);
        }

        Assert.That(seen, Is.EquivalentTo(hasEvent ? new[] { 0 } : [0, 0x01010101]));
    }

    [Test]
    public void OneSeedGivesOneOrderAndSeedsGiveSeveral()
    {
        string[] orders = [.. Enumerable.Range(0, 8).Select(static seed => Order((ulong)seed))];
        Assert.That(Enumerable.Range(0, 8).Select(static seed => Order((ulong)seed)), Is.EqualTo(orders));
        Assert.That(orders.Distinct().Count(), Is.GreaterThan(2));
        foreach (string order in orders)
        {
            Assert.That(order.Where(char.IsAsciiLetterLower), Is.EqualTo("aaaa"), "stream order");
            Assert.That(order, Has.Length.EqualTo(12));
        }
    }

    [Test]
    public void AnEventRecordedAgainDoesNotReleaseWhoWaitsForTheFirstRecord()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            using CudaContext context = CudaContext.Emulated(new EmulationOptions { ScheduleSeed = seed });
            using CudaStream first = new(context), second = new(context), third = new(context);
            using CudaEvent mark = new(context);
            using CudaDeviceVariable<int> variable = new(context, 1);
            using CudaPinnedMemory<int> back = new(context, 1);
            variable.Memset(0);
            context.Synchronize();
            variable.Memset(1, first);
            mark.Record(first);
            second.WaitFor(mark);
            mark.Record(third);
            variable.CopyToHostAsync(back, second);
            second.Synchronize();
            Assert.That(back.Span[0], Is.EqualTo(0x01010101));
        }
    }

    [Test]
    public void AskingAgainAndAgainComesToAnEnd()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaStream first = new(context), second = new(context);
        using CudaEvent start = new(context), end = new(context);
        using CudaDeviceVariable<int> variable = new(context, 1);
        Assert.That(end.IsReached, Is.True, "nothing was recorded");
        variable.Memset(1, first);
        start.Record(first);
        second.WaitFor(start);
        variable.Memset(2, second);
        end.Record(second);
        Assert.That(second.IsIdle, Is.False);
        Assert.That(end.IsReached, Is.False);
        Assert.That(() => CudaEvent.ElapsedMilliseconds(start, end), Throws.InstanceOf<CudaException>().With.Message.Contains("not reached yet"));
        int questions = 0;
        while (!end.IsReached)
        {
            Assert.That(++questions, Is.LessThan(10));
        }

        Assert.That(second.IsIdle, Is.True);
        Assert.That(CudaEvent.ElapsedMilliseconds(start, end), Is.GreaterThanOrEqualTo(0f));
    }

    [Test]
    public void PinnedMemoryFreedBeforeItsCopyRanIsFound()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaDeviceVariable<int> variable = new(context, 1);
        CudaPinnedMemory<int> host = new(context, 1);
        variable.CopyToDeviceAsync(host, context.DefaultStream);
        host.Dispose();
        Assert.That(context.Synchronize, Throws.InstanceOf<CudaException>().With.Message.Contains("freed before the copy ran"));
    }

    [Test]
    public void ADestroyedStreamRunsToItsEnd()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaDeviceVariable<int> variable = new(context, 1);
        CudaStream stream = new(context);
        variable.Memset(3, stream);
        stream.Dispose();
        context.Synchronize();
        int[] back = new int[1];
        variable.CopyToHost(back);
        Assert.That(back[0], Is.EqualTo(0x03030303));
    }

    [Test]
    public void AGraphWithAForkReplaysWithItsOrder()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            using CudaContext context = CudaContext.Emulated(new EmulationOptions { ScheduleSeed = seed });
            using CudaStream stream = new(context), fork = new(context);
            using CudaEvent forked = new(context), joined = new(context);
            using CudaDeviceVariable<int> variable = new(context, 1), copy = new(context, 1);
            using CudaPinnedMemory<int> there = new(context, 1), back = new(context, 1);
            using CudaGraph graph = stream.Capture(() =>
            {
                variable.CopyToDeviceAsync(there, stream);
                forked.Record(stream);
                fork.WaitFor(forked);
                copy.CopyFrom(variable, fork);
                joined.Record(fork);
                stream.WaitFor(joined);
                variable.Memset(0, stream);
                copy.CopyToHostAsync(back, stream);
            });
            using CudaGraphExecutable executable = graph.Instantiate();
            Assert.That(stream.IsIdle && fork.IsIdle, Is.True);
            foreach (int value in new[] { 17, 18 })
            {
                there.Span[0] = value;
                executable.Launch(stream);
                executable.Launch(stream);
                stream.Synchronize();
                Assert.That(back.Span[0], Is.EqualTo(value));
            }
        }
    }

    [Test]
    public void WhatCannotBeCapturedIsRefusedAndTheStreamGoesOn()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaStream stream = new(context), other = new(context);
        using CudaEvent mark = new(context);
        using CudaDeviceVariable<int> variable = new(context, 1);
        mark.Record(other);
        (Action Action, string Message)[] cases =
        [
            (stream.Synchronize, "SynchronizeStream is not possible"),
            (context.Synchronize, "SynchronizeContext is not possible"),
            (() => new CudaDeviceVariable<int>(context, 1).Dispose(), "Allocate is not possible"),
            (() => variable.CopyToHost(new int[1], stream: stream), "page-locked host memory only"),
            (() => stream.WaitFor(mark), "recorded outside the capture"),
            (() => Fork(stream, other, variable), "does not wait for all the work that it forked"),
        ];
        foreach ((Action action, string message) in cases)
        {
            Assert.That(() => stream.Capture(action), Throws.InstanceOf<CudaException>().With.Message.Contains(message));
            variable.Memset(5, stream);
            variable.Memset(5, other);
            Assert.That(context.Synchronize, Throws.Nothing);
        }

        // What the action swallows spoils the capture all the same.
        Assert.That(
            () => stream.Capture(() => Assert.That(context.Synchronize, Throws.InstanceOf<CudaException>())),
            Throws.InstanceOf<CudaException>().With.Message.StartsWith("Nothing was captured: SynchronizeContext"));
    }

    private static void Fork(CudaStream stream, CudaStream other, CudaDeviceVariable<int> variable)
    {
        using CudaEvent forked = new(stream.Context);
        forked.Record(stream);
        other.WaitFor(forked);
        variable.Memset(1, other);
    }

    private static int ReadAcrossStreams(ulong seed, bool hasEvent)
    {
        using CudaContext context = CudaContext.Emulated(new EmulationOptions { ScheduleSeed = seed });
        using CudaStream producer = new(context);
        using CudaStream consumer = new(context);
        using CudaEvent ready = new(context, timing: false);
        using CudaDeviceVariable<int> shared = new(context, 1);
        using CudaPinnedMemory<int> back = new(context, 1);
        shared.Memset(0);
        context.Synchronize();
        shared.Memset(1, producer);
        ready.Record(producer);
        if (hasEvent)
        {
            consumer.WaitFor(ready);
        }

        shared.CopyToHostAsync(back, consumer);
        consumer.Synchronize();
        return back.Span[0];
    }

    // Which of three streams' work ran when: each stream appends its letter four times, through a copy that reads a counter of the host.
    private static string Order(ulong seed)
    {
        List<LaunchStatistics> launches = [];
        using CudaContext context = CudaContext.Emulated(new EmulationOptions { ScheduleSeed = seed }, launches.Add);
        CudaStream[] streams = [new(context), new(context), new(context)];
        using CudaModule module = context.LoadModule(System.Text.Encoding.UTF8.GetBytes(Empty), "empty.ptx");
        for (int i = 0; i < 4; i++)
        {
            for (int stream = 0; stream < streams.Length; stream++)
            {
                module.GetKernel("aBC"[stream].ToString()).Launch(streams[stream], 1, 1, new KernelArguments());
            }
        }

        context.Synchronize();
        foreach (CudaStream stream in streams)
        {
            stream.Dispose();
        }

        return string.Concat(launches.Select(static launch => launch.Kernel));
    }

    private const string Empty = """
        .version 7.8
        .target sm_80
        .address_size 64
        .visible .entry a() { ret; }
        .visible .entry B() { ret; }
        .visible .entry C() { ret; }
        """;
}
