using NUnit.Framework;
using Sprint.Model.Configuration;
using Sprint.Model.Data;
using Sprint.Model.Training;
using Sprint.Tests.Model.Training;

namespace Sprint.Tests.Model.Data;

/// <summary>Another network's features of the images of a data set.</summary>
[TestFixture]
public sealed class FeatureFileTests
{
    private const int Width = 12;
    private static readonly int[] Shape = [20, 16, Width];

    private TemporaryFolder folder = null!;

    /// <summary>A tiny run that is aligned with <see cref="Width"/> features.</summary>
    internal static TrainingConfiguration Aligned { get; } = TinyRun.Configuration with
    {
        Model = TinyRun.Configuration.Model with { RepresentationAlign = true, RepresentationDepth = 3, DimProjection = Width, ProjectorHiddenDim = 24 },
    };

    /// <summary>Features of the images of <see cref="PatternDataset"/>.</summary>
    internal static float[] Numbers(int[] shape, int seed = 5)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, shape.Aggregate(1, static (product, extent) => product * extent)).Select(_ => (2 * random.NextSingle()) - 1)];
    }

    [SetUp]
    public void Create() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Images_are_read_in_any_order([Values] bool halves)
    {
        float[] numbers = Array.ConvertAll(Numbers(Shape), value => (float)(Half)value);
        using FeatureFile file = Open(halves ? NpyWriter.Halves(Shape, numbers) : NpyWriter.Floats(Shape, numbers));
        Assert.That((file.Images, file.Tokens, file.Width), Is.EqualTo((20, 16, Width)));
        int[] images = [19, 0, 7, 7];
        var read = new float[images.Length * 16 * Width];
        file.Read(images, read);
        float[] expected = [.. images.SelectMany(image => numbers.Skip(image * 16 * Width).Take(16 * Width))];
        Comparer.AssertSameBits("features", read, expected);
    }

    /// <summary>Ten GB, of which the disk holds a page: nothing but the image asked for is read.</summary>
    [Test]
    [Platform(Exclude = "Win")]
    public void A_file_larger_than_any_array_is_read_image_by_image()
    {
        int[] shape = [3000, 1024, 1024];
        byte[] header = NpyWriter.Header("<f4", shape);
        float[] last = Numbers([1024, 1024]);
        using (var stream = new FileStream(folder["f.npy"], FileMode.Create))
        {
            stream.Write(header);
            stream.SetLength(header.Length + (3000L * 1024 * 1024 * sizeof(float)));
            stream.Position = stream.Length - (last.Length * sizeof(float));
            stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(last.AsSpan()));
        }

        using FeatureFile file = FeatureFile.Open(folder["f.npy"]);
        var read = new float[2 * last.Length];
        file.Read([2999, 0], read);
        Comparer.AssertSameBits("the last image", read.AsSpan(0, last.Length).ToArray(), last);
        Assert.That(read.AsSpan(last.Length).IndexOfAnyExcept(0f), Is.EqualTo(-1));
    }

    [Test]
    public void Files_that_cannot_be_used_are_refused_in_a_sentence()
    {
        float[] numbers = Numbers(Shape);
        Assert.That(() => FeatureFile.Open(folder["none.npy"]), new SprintFault("cannot read", "none.npy"));
        Refuse(NpyWriter.Floats([20 * 16, Width], numbers), "has shape (320, 12), where (images, tokens, features) is wanted");
        Refuse(NpyWriter.Floats([20, 0, 0], []), "has shape (20, 0, 0), where (images, tokens, features) is wanted");
        Refuse([.. NpyWriter.Header("<f8", Shape), .. new byte[8 * numbers.Length]], "its element type is '<f8', where '<f4' (little-endian float32) or '<f2' (float16) is wanted");
        Refuse(NpyWriter.Floats([20, 16, Width + 1], numbers), "needs 16640 bytes, but 15360 follow its header");
        Refuse([1, 2, 3], "does not begin with the magic number");

        void Refuse(byte[] bytes, string reason)
        {
            File.WriteAllBytes(folder["f.npy"], bytes);
            Assert.That(() => FeatureFile.Open(folder["f.npy"]), new SprintFault("f.npy", reason));
        }
    }

    [TestCase(float.NaN, "NaN")]
    [TestCase(float.NegativeInfinity, "-Infinity")]
    public void A_feature_that_is_no_number_is_named_with_its_image(float value, string text)
    {
        float[] numbers = Numbers(Shape);
        numbers[(7 * 16 * Width) + 30] = value;
        using FeatureFile file = Open(NpyWriter.Floats(Shape, numbers));
        var read = new float[2 * 16 * Width];
        file.Read([6, 8], read);
        Assert.That(() => file.Read([6, 7], read), new SprintFault("f.npy", $"holds {text} among the features of image 7"));
    }

    [Test]
    public void A_file_that_has_become_shorter_is_named()
    {
        using FeatureFile file = Open(NpyWriter.Floats(Shape, Numbers(Shape)));
        using (var stream = new FileStream(folder["f.npy"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            stream.SetLength(5000);
        Assert.That(() => file.Read([19], new float[16 * Width]), new SprintFault("f.npy", "ends before the features of image 19"));
    }

    [Test]
    public void Features_must_be_those_of_the_data_and_the_model()
    {
        using var dataset = new PatternDataset();
        using FeatureFile right = Open(NpyWriter.Floats(Shape, Numbers(Shape)));
        Trainer.Check(Aligned, dataset, right);
        Refuse(Aligned, null, "model.representation_align is true, but there are no features to align with: name their NumPy file with data.features");
        Refuse(TinyRun.Configuration, right, "data.features names features, but nothing is aligned with them: set model.representation_align to true");
        Refuse(Aligned with { Data = new DatasetSettings { BadFiles = BadFiles.Skip } }, right, "data.bad_files: skip puts other images in the place of bad ones");
        Refuse(Aligned with { Model = Aligned.Model with { DimProjection = 13 } }, right, "f.npy", "has 12 features a token, but model.dim_projection is 13: name features of that width, or begin a run with model.dim_projection 12");
        using FeatureFile few = Open(NpyWriter.Floats([19, 16, Width], Numbers([19, 16, Width])), "few.npy");
        Refuse(Aligned, few, "few.npy", "has features of 19 images, but the data have 20");
        using FeatureFile coarse = Open(NpyWriter.Floats([20, 4, Width], Numbers([20, 4, Width])), "coarse.npy");
        Refuse(Aligned, coarse, "coarse.npy", "has features of 4 tokens an image, but the model has 16 (4 x 4)");

        void Refuse(TrainingConfiguration configuration, FeatureFile? features, params string[] parts) =>
            Assert.That(() => Trainer.Check(configuration, dataset, features), new SprintFault(parts));
    }

    [Test]
    public void Other_features_have_another_fingerprint()
    {
        float[] numbers = Numbers(Shape);
        using FeatureFile one = Open(NpyWriter.Floats(Shape, numbers)), same = Open(NpyWriter.Floats(Shape, numbers), "same.npy");
        numbers[^1]++;
        using FeatureFile other = Open(NpyWriter.Floats(Shape, numbers), "other.npy");
        Assert.That(same.Fingerprint, Is.EqualTo(one.Fingerprint));
        Assert.That(other.Fingerprint, Is.Not.EqualTo(one.Fingerprint));
    }

    private FeatureFile Open(byte[] bytes, string name = "f.npy")
    {
        File.WriteAllBytes(folder[name], bytes);
        return FeatureFile.Open(folder[name]);
    }
}
