namespace Sprint.Tests.Model.Data;

/// <summary>Files of the repository, found from where the tests run.</summary>
internal static class RepositoryFolder
{
    public static string Find(string name)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Sprint.sln")))
                return Path.Combine(folder.FullName, name);
        }

        throw new DirectoryNotFoundException("the tests run outside the repository");
    }
}
