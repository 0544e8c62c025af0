using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using NUnit.Framework;
using Sprint.Tests.Model.Data;

namespace Sprint.Tests.Build;

/// <summary>Runs build.ps1 in a PowerShell engine whose <c>dotnet</c> only records what it is told.</summary>
[TestFixture]
public sealed class BuildScriptTests
{
    private static readonly string Script = RepositoryFolder.Find("build.ps1");
    private static readonly string Root = Path.GetDirectoryName(Script)!;
    private Runspace runspace = null!;

    [OneTimeSetUp]
    public void Open()
    {
        runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        using PowerShell shell = PowerShell.Create(runspace);
        shell.AddScript("function global:dotnet { $global:calls.Add($args -join ' '); $global:LASTEXITCODE = $global:exitCode }").Invoke();
    }

    [OneTimeTearDown]
    public void Close() => runspace.Dispose();

    [Test]
    public void The_script_has_no_syntax_errors()
    {
        Parser.ParseFile(Script, out _, out ParseError[] errors);
        Assert.That(errors.Select(error => $"line {error.Extent.StartLineNumber}: {error.Message}"), Is.Empty);
    }

    [TestCase("", "build ROOT/Sprint.sln -c Release")]
    [TestCase("-Task Restore", "restore ROOT/Sprint.sln")]
    [TestCase("-Task Build -Configuration Debug", "build ROOT/Sprint.sln -c Debug")]
    [TestCase("-Task Test -Arguments --no-build, --nologo", "test ROOT/Sprint.sln -c Release --no-build --nologo")]
    [TestCase("-Task Bench -Arguments step, --drop, 0.75", "run -c Release --project ROOT/Sprint.Bench -- step --drop 0.75")]
    [TestCase("-Task Bench", "run -c Release --project ROOT/Sprint.Bench -- step")]
    [TestCase("-Task Pack", "pack ROOT/Sprint.Engine -c Release -o ROOT/artifacts", "pack ROOT/Sprint.Model -c Release -o ROOT/artifacts")]
    [TestCase("-Task Restore, Build, Test", "restore ROOT/Sprint.sln", "build ROOT/Sprint.sln -c Release", "test ROOT/Sprint.sln -c Release")]
    [TestCase(
        "-Task Restore, Build, Test, Bench, Pack",
        "restore ROOT/Sprint.sln",
        "build ROOT/Sprint.sln -c Release",
        "test ROOT/Sprint.sln -c Release",
        "run -c Release --project ROOT/Sprint.Bench -- step",
        "pack ROOT/Sprint.Engine -c Release -o ROOT/artifacts",
        "pack ROOT/Sprint.Model -c Release -o ROOT/artifacts")]
    public void A_task_is_one_dotnet_command(string arguments, params string[] commands)
    {
        (List<string> calls, string? failure) = Run(arguments, exitCode: 0);
        Assert.That(failure, Is.Null);
        Assert.That(calls, Is.EqualTo(commands.Select(command => command.Replace("ROOT", Root, StringComparison.Ordinal))));
    }

    [Test]
    public void A_command_that_fails_ends_the_script()
    {
        (List<string> calls, string? failure) = Run("-Task Build, Test", exitCode: 3);
        Assert.That(failure, Is.EqualTo("dotnet build failed with exit code 3"));
        Assert.That(calls, Has.Count.EqualTo(1));
    }

    [Test]
    public void Arguments_for_several_tasks_are_refused_before_anything_runs()
    {
        (List<string> calls, string? failure) = Run("-Task Build, Bench -Arguments step", exitCode: 0);
        Assert.That(failure, Is.EqualTo("-Arguments are for one task, but -Task names 2: run Build, Bench one by one"));
        Assert.That(calls, Is.Empty);
    }

    [TestCase("-Task Tset", "Task")]
    [TestCase("-Configuration Fast", "Configuration")]
    public void A_value_that_is_none_is_refused_before_anything_runs(string arguments, string parameter)
    {
        (List<string> calls, string? failure) = Run(arguments, exitCode: 0);
        Assert.That(failure, Does.Contain($"Cannot validate argument on parameter '{parameter}'"));
        Assert.That(calls, Is.Empty);
    }

    private (List<string> Calls, string? Failure) Run(string arguments, int exitCode)
    {
        var calls = new List<string>();
        runspace.SessionStateProxy.SetVariable("calls", calls);
        runspace.SessionStateProxy.SetVariable("exitCode", exitCode);
        using PowerShell shell = PowerShell.Create(runspace);
        try
        {
            shell.AddScript($"& '{Script.Replace("'", "''", StringComparison.Ordinal)}' {arguments}").Invoke();
            return (calls, shell.Streams.Error.FirstOrDefault()?.ToString());
        }
        catch (RuntimeException exception)
        {
            return (calls, exception.Message);
        }
    }
}
