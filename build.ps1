<#
.SYNOPSIS
Builds, tests, measures and packs Sprint.
.DESCRIPTION
Tasks run in the order given. Each is one dotnet command, printed before it runs; the first that fails ends the script.
-Arguments are for the command of a single task. Bench without them times training steps.
.EXAMPLE
./build.ps1
Builds everything in Release.
.EXAMPLE
./build.ps1 -Task Build, Test
.EXAMPLE
./build.ps1 -Task Bench -Arguments step, --drop, 0.75
Times training steps with a drop ratio of 0.75.
#>
param(
    [ValidateSet('Restore', 'Build', 'Test', 'Bench', 'Pack')]
    [string[]] $Task = @('Build'),
    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',
    [string[]] $Arguments = @()
)

$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot

if ($Arguments.Count -gt 0 -and $Task.Count -gt 1) {
    throw "-Arguments are for one task, but -Task names $($Task.Count): run $($Task -join ', ') one by one"
}

function Invoke-Dotnet([string[]] $Words) {
    [Console]::WriteLine('dotnet ' + ($Words -join ' '))
    & dotnet @Words
    if ($LASTEXITCODE -ne 0) {
        throw "dotnet $($Words[0]) failed with exit code $LASTEXITCODE"
    }
}

foreach ($name in $Task) {
    switch ($name) {
        'Restore' { Invoke-Dotnet (@('restore', "$root/Sprint.sln") + $Arguments) }
        'Build' { Invoke-Dotnet (@('build', "$root/Sprint.sln", '-c', $Configuration) + $Arguments) }
        'Test' { Invoke-Dotnet (@('test', "$root/Sprint.sln", '-c', $Configuration) + $Arguments) }
        'Bench' {
            $words = if ($Arguments.Count -gt 0) { $Arguments } else { @('step') }
            Invoke-Dotnet (@('run', '-c', $Configuration, '--project', "$root/Sprint.Bench", '--') + $words)
        }
        'Pack' {
            foreach ($project in 'Sprint.Engine', 'Sprint.Model') {
                Invoke-Dotnet (@('pack', "$root/$project", '-c', $Configuration, '-o', "$root/artifacts") + $Arguments)
            }
        }
    }
}
