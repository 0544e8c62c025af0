using NUnit.Framework;
using SkiaSharp;
using Sprint.Model.Configuration;
using Sprint.Model.Data;

namespace Sprint.Tests.Model.Data;

[TestFixture]
public sealed class DatasetFactoryTests
{
    [Test]
    public void The_layout_is_recognised()
    {
        using TemporaryFolder folder = new();
        TestImage.Save(folder["a/x.png"], 4, 4, (_, _) => SKColors.Red);
        using IImageDataset idx = DatasetFactory.Open(new DatasetSettings { Path = RepositoryFolder.Find("data/fashion-mnist-16"), ImageSize = 16, Channels = 1 });
        using IImageDataset images = DatasetFactory.Open(new DatasetSettings { Path = folder.Path, ImageSize = 8, Channels = 1 });
        Assert.That(idx, Is.TypeOf<IdxDataset>());
        Assert.That(images, Is.TypeOf<ImageFolderDataset>());
        Assert.That((images.Channels, images.Width), Is.EqualTo((1, 8)));
    }

    [Test]
    public void Settings_that_do_not_fit_the_data_give_one_sentence()
    {
        using TemporaryFolder folder = new();
        DatasetSettings settings = new() { Path = RepositoryFolder.Find("data/fashion-mnist-16") };
        Assert.That(() => DatasetFactory.Open(settings with { Path = folder["none"] }), new SprintFault("data folder", "none", "does not exist"));
        Assert.That(() => DatasetFactory.Open(settings with { Path = folder.Path }), new SprintFault("holds neither", "idx3", "nor class subfolders", "dataset.json"));
        Assert.That(() => DatasetFactory.Open(settings with { ImageSize = 32 }), new SprintFault("are 16 x 16 pixels, but image_size is 32"));
        Assert.That(() => DatasetFactory.Open(settings with { Channels = 3 }), new SprintFault("have 1 channels, but channels is 3"));
        Assert.That(() => DatasetFactory.Open(settings with { Format = DatasetFormat.Latents }), new SprintFault("cannot read", "dataset.json"));
        Directory.CreateDirectory(folder["a"]);
        Assert.That(() => DatasetFactory.Open(settings with { Path = folder.Path }), new SprintFault("image_size must say"));
    }

    [Test]
    public void Settings_are_read_from_a_configuration()
    {
        DatasetSettings settings = ConfigurationReader.Parse<DatasetSettings>("path: x\nformat: images\nimage_size: 32\nbad_files: skip\n", "test.yaml");
        Assert.That(settings, Is.EqualTo(new DatasetSettings { Path = "x", Format = DatasetFormat.Images, ImageSize = 32, BadFiles = BadFiles.Skip }));
        Assert.That(() => ConfigurationReader.Parse<DatasetSettings>("image_size: 0", "test.yaml"), new SprintFault("image_size is 0, but must be at least 1 and at most 8192"));
    }
}
