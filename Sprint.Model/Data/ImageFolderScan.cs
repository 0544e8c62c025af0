using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Data;

/// <summary>The images of a folder of class subfolders, checked, in ordinal order of class and name, so that every machine sees the same order.</summary>
internal sealed class ImageFolderScan
{
    private const int ProgressInterval = 256;

    private ImageFolderScan(string[] classNames, (string Path, int Label)[] images, BadFile[] badFiles, string[] others)
    {
        ClassNames = classNames;
        Images = images;
        BadFiles = badFiles;
        Others = others;
    }

    public string[] ClassNames { get; }

    public (string Path, int Label)[] Images { get; }

    public BadFile[] BadFiles { get; }

    /// <summary>What lies in the class folders and is no PNG, JPEG or WebP file by its name: other files, and folders.</summary>
    public string[] Others { get; }

    /// <exception cref="SprintException">No folder, no classes, a class without images, or a bad file where those are fatal.</exception>
    public static ImageFolderScan Run(string folder, ImageFolderOptions options)
    {
        (string Path, int Label)[] files;
        string[] classFolders;
        string[] others;
        try
        {
            classFolders = [.. Directory.EnumerateDirectories(folder).Where(IsVisible).Order(StringComparer.Ordinal)];
            if (classFolders.Length == 0)
                throw new SprintException($"the folder '{folder}' holds no class subfolders: put the images of each class into a subfolder named after it");

            files = [.. classFolders.SelectMany((path, label) => Directory.EnumerateFiles(path)
                .Where(file => IsVisible(file) && ImageDecoder.HasImageName(file))
                .Order(StringComparer.Ordinal)
                .Select(file => (file, label)))];
            others = [.. classFolders.SelectMany(path => Directory.EnumerateFiles(path).Where(file => !ImageDecoder.HasImageName(file))
                .Concat(Directory.EnumerateDirectories(path)).Where(IsVisible).Order(StringComparer.Ordinal))];
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read the data folder", folder, exception);
        }

        string?[] faults = new string?[files.Length];
        int done = 0;
        options.Progress?.Invoke(0, files.Length);
        Parallel.ForEach(Ranges(files.Length), range =>
        {
            for (int index = range.First; index < range.Behind; index++)
                faults[index] = ImageDecoder.FindFault(files[index].Path);
            options.Progress?.Invoke(Interlocked.Add(ref done, range.Behind - range.First), files.Length);
        });

        BadFile[] bad = [.. files.Zip(faults).Where(pair => pair.Second is not null).Select(pair => new BadFile(pair.First.Path, pair.Second!))];
        if (bad.Length > 0 && options.BadFiles == Data.BadFiles.Fail)
        {
            string more = bad.Length > 1 ? $", and {bad.Length - 1} more of {files.Length} files are bad" : "";
            throw new SprintException($"cannot use the image '{bad[0].Path}': {bad[0].Reason}{more} (bad_files: skip leaves them out)");
        }

        (string Path, int Label)[] good = [.. files.Zip(faults).Where(pair => pair.Second is null).Select(pair => pair.First)];
        HashSet<int> present = [.. good.Select(image => image.Label)];
        int empty = Enumerable.Range(0, classFolders.Length).FirstOrDefault(label => !present.Contains(label), -1);
        if (empty >= 0)
            throw new SprintException($"the class folder '{classFolders[empty]}' holds no PNG, JPEG or WebP image that can be read");

        return new ImageFolderScan(Array.ConvertAll(classFolders, path => Path.GetFileName(path)), good, bad, others);
    }

    private static IEnumerable<(int First, int Behind)> Ranges(int count)
    {
        for (int first = 0; first < count; first += ProgressInterval)
            yield return (first, Math.Min(count, first + ProgressInterval));
    }

    private static bool IsVisible(string path) => !Path.GetFileName(path).StartsWith('.');
}
