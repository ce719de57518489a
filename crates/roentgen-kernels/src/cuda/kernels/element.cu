// What an activation is stored as, and the curves between layers.
//
// The file is compiled once for each element: float (32), bf16 (16) and f16 (5, its exponent's bits). All
// arithmetic is in float. Activations are stored as [rows, channels]; a row is a pixel of an image (NHWC).

#if ELEMENT == 32
typedef float Element;
#define NAME(name) name##_f32
#elif ELEMENT == 16
typedef unsigned short Element;
#define NAME(name) name##_bf16
#else
typedef unsigned short Element;
#define NAME(name) name##_f16
#endif

#define KERNEL extern "C" __global__ void
#define INLINE static __device__ __forceinline__

// Elements in 16 bytes, the widest load.
#define WIDE (16 / (int)sizeof(Element))
// Threads of a block.
#define THREADS 256

INLINE float widen(Element value) {
#if ELEMENT == 32
    return value;
#elif ELEMENT == 16
    return __uint_as_float((unsigned)value << 16);
#elif defined(EMULATE)
    unsigned sign = (value & 0x8000u) << 16, exponent = value >> 10 & 31, digits = value & 1023;
    if (exponent == 0) {
        float small = (float)digits * 5.9604645e-8f;
        return sign ? -small : small;
    }
    return __uint_as_float(sign | (exponent == 31 ? 255u : exponent + 112) << 23 | digits << 13);
#else
    float wide;
    asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value));
    return wide;
#endif
}

// To the nearest element; of two as near, the even one.
INLINE Element narrow(float value) {
#if ELEMENT == 32
    return value;
#elif defined(EMULATE) && ELEMENT == 16
    unsigned bits = __float_as_uint(value);
    if (value != value) return 0x7fff;
    return (Element)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
#elif defined(EMULATE)
    unsigned bits = __float_as_uint(value), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest > 0x7f800000) return (Element)(sign | 0x7fff);
    if (rest >= 0x477ff000) return (Element)(sign | 0x7c00);
    if (rest < 0x38800000) {
        // Adding it rounds to a multiple of the least value.
        float small = __uint_as_float(rest) + 0.5f;
        return (Element)(sign | (__float_as_uint(small) - 0x3f000000));
    }
    rest += 0xfff + (rest >> 13 & 1);
    return (Element)(sign | (rest - 0x38000000) >> 13);
#elif ELEMENT == 16
    unsigned short near;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(near) : "f"(value));
    return near;
#else
    unsigned short near;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(near) : "f"(value));
    return near;
#endif
}

// V neighbouring channels.
template <int V> struct Pack {
    float at[V];
};

template <int V> INLINE Pack<V> zeros() {
    Pack<V> pack;
#pragma unroll
    for (int i = 0; i < V; i++) pack.at[i] = 0.0f;
    return pack;
}

template <int V> struct alignas(V * sizeof(Element)) Elements {
    Element at[V];
};

template <int V> INLINE Pack<V> read(const Element *from) {
    Elements<V> elements = *(const Elements<V> *)from;
    Pack<V> pack;
#pragma unroll
    for (int i = 0; i < V; i++) pack.at[i] = widen(elements.at[i]);
    return pack;
}

template <int V> INLINE void write(Element *to, Pack<V> pack) {
    Elements<V> elements;
#pragma unroll
    for (int i = 0; i < V; i++) elements.at[i] = narrow(pack.at[i]);
    *(Elements<V> *)to = elements;
}

template <int V> struct alignas(V * 4) Floats {
    float at[V];
};

// Floats that another block may just have written.
template <int V> INLINE Floats<V> read_late(const float *from) {
    Floats<V> read;
    if (V == 4) {
        float4 four = __ldcg((const float4 *)from);
        read.at[0] = four.x;
        read.at[V > 1 ? 1 : 0] = four.y;
        read.at[V > 2 ? 2 : 0] = four.z;
        read.at[V > 3 ? 3 : 0] = four.w;
    } else {
#pragma unroll
        for (int i = 0; i < V; i++) read.at[i] = __ldcg(from + i);
    }
    return read;
}

template <int V> INLINE Pack<V> read_floats(const float *from) {
    Pack<V> pack;
#pragma unroll
    for (int i = 0; i < V; i++) pack.at[i] = from[i];
    return pack;
}

// An activation: a clamp to both limits, or SiLU.
struct Curve {
    float least, greatest;
    int is_silu;
};

INLINE float activate(float x, Curve curve) {
    if (curve.is_silu) return x / (1.0f + __expf(-x));
#ifdef EMULATE
    x = x < curve.least ? curve.least : x;
    return x > curve.greatest ? curve.greatest : x;
#else
    // What is not a number goes through, which fminf and fmaxf would hide.
    asm("max.NaN.f32 %0, %0, %1;" : "+f"(x) : "f"(curve.least));
    asm("min.NaN.f32 %0, %0, %1;" : "+f"(x) : "f"(curve.greatest));
    return x;
#endif
}

// The gradient before the activation, of which x is the argument.
INLINE float through(float x, float gradient, Curve curve) {
    if (curve.is_silu) {
        float sigmoid = 1.0f / (1.0f + __expf(-x));
        return gradient * sigmoid * (1.0f + x * (1.0f - sigmoid));
    }
    return x > curve.least && x < curve.greatest ? gradient : 0.0f;
}

// What a norm does to V channels: (x - mean) * scale + shift. An affine is [3, channels].
template <int V> struct Affine {
    Pack<V> mean, scale, shift;
};

template <int V> INLINE Affine<V> read_affine(const float *affine, int channel, int channels) {
    Affine<V> read;
    read.mean = read_floats<V>(affine + channel);
    read.scale = read_floats<V>(affine + channels + channel);
    read.shift = read_floats<V>(affine + 2 * channels + channel);
    return read;
}

template <int V> INLINE Pack<V> apply_affine(Pack<V> x, const Affine<V> &affine) {
#pragma unroll
    for (int i = 0; i < V; i++)
        x.at[i] = fmaf(x.at[i] - affine.mean.at[i], affine.scale.at[i], affine.shift.at[i]);
    return x;
}

template <int V> INLINE Pack<V> activate_all(Pack<V> x, Curve curve) {
#pragma unroll
    for (int i = 0; i < V; i++) x.at[i] = activate(x.at[i], curve);
    return x;
}

// Adds 2 * V values over threadIdx.y, always in the same order, and hands the sums to those with threadIdx.y == 0.
template <int V> INLINE void add_over_block(Pack<V> &first, Pack<V> &second) {
    __shared__ float shared[2 * V * THREADS];
    int thread = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
    for (int i = 0; i < V; i++) {
        shared[i * THREADS + thread] = first.at[i];
        shared[(V + i) * THREADS + thread] = second.at[i];
    }
    for (int half = blockDim.y / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y < half)
            for (int i = 0; i < 2 * V; i++)
                shared[i * THREADS + thread] += shared[i * THREADS + thread + half * blockDim.x];
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < V; i++) {
        first.at[i] = shared[i * THREADS + threadIdx.x];
        second.at[i] = shared[(V + i) * THREADS + threadIdx.x];
    }
}

// How a window slides over the planes of a film.
struct Window {
    int height, width, channels;  // of the input
    int out_height, out_width;    // of the output
    int top, left;                // zeros before
    int kernel_height, kernel_width, stride;
};
