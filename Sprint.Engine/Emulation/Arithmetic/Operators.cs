using System.Runtime.Intrinsics;

namespace Sprint.Engine.Emulation.Arithmetic;

/// <summary>A function of one vector of lanes.</summary>
internal interface IUnary<T>
{
    static abstract Vector512<T> Apply(Vector512<T> a);
}

/// <summary>A function of two vectors of lanes.</summary>
internal interface IBinary<T>
{
    static abstract Vector512<T> Apply(Vector512<T> a, Vector512<T> b);
}

/// <summary>A function of three vectors of lanes.</summary>
internal interface ITernary<T>
{
    static abstract Vector512<T> Apply(Vector512<T> a, Vector512<T> b, Vector512<T> c);
}

/// <summary>A comparison of two vectors of lanes: all-ones elements where it holds.</summary>
internal interface IComparison<T>
{
    static abstract Vector512<T> Apply(Vector512<T> a, Vector512<T> b);
}

/// <summary>A function of one lane's value.</summary>
internal interface IScalarUnary<TSource, TResult>
{
    static abstract TResult Apply(TSource a);
}

/// <summary>A function of one lane's two values.</summary>
internal interface IScalarBinary<TSource, TResult>
{
    static abstract TResult Apply(TSource a, TSource b);
}

/// <summary>A function of one lane's three values.</summary>
internal interface IScalarTernary<TSource, TResult>
{
    static abstract TResult Apply(TSource a, TSource b, TSource c);
}

/// <summary>A function of one lane's two values and a number that the instruction holds.</summary>
internal interface IScalarMode<TSource, TResult>
{
    static abstract TResult Apply(TSource a, TSource b, TSource c, int mode);
}
