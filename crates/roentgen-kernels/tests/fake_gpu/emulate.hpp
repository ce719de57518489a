// The words of CUDA C++ for a plain C++ compiler: a kernel's source compiles after this header.
#pragma once

#include <math.h>

#include <cstdint>
#include <cstring>

#include "fibers.hpp"

#define EMULATE 1

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __constant__ static
// Blocks run one after the other, so they can share one static place.
#define __shared__ static

static inline void __syncthreads() { emulate::barrier(); }

// Vectors of a few numbers. They are aligned to their size, as CUDA's are.
#define VECTOR2(name, type)                                              \
    struct alignas(2 * sizeof(type)) name {                              \
        type x, y;                                                       \
    };                                                                   \
    static inline name make_##name(type x, type y) { return {x, y}; }
#define VECTOR4(name, type)                                              \
    struct alignas(4 * sizeof(type)) name {                              \
        type x, y, z, w;                                                 \
    };                                                                   \
    static inline name make_##name(type x, type y, type z, type w) { return {x, y, z, w}; }
VECTOR2(float2, float)
VECTOR4(float4, float)
VECTOR2(int2, int)
VECTOR4(int4, int)
VECTOR2(uint2, unsigned)
VECTOR4(uint4, unsigned)
VECTOR2(ushort2, unsigned short)
VECTOR4(ushort4, unsigned short)
#undef VECTOR2
#undef VECTOR4
static inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }

#define LESSER_AND_GREATER(type)                                         \
    static inline type min(type a, type b) { return b < a ? b : a; }     \
    static inline type max(type a, type b) { return a < b ? b : a; }
LESSER_AND_GREATER(int)
LESSER_AND_GREATER(unsigned)
LESSER_AND_GREATER(long)
LESSER_AND_GREATER(unsigned long)
#undef LESSER_AND_GREATER
// Of a number and what is none, CUDA takes the number.
static inline float min(float a, float b) { return fminf(a, b); }
static inline float max(float a, float b) { return fmaxf(a, b); }
static inline double min(double a, double b) { return fmin(a, b); }
static inline double max(double a, double b) { return fmax(a, b); }

namespace emulate {

template <class To, class From> inline To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "the sizes differ");
    To to;
    std::memcpy(&to, &from, sizeof(to));
    return to;
}

inline float inverse_root(float x) { return 1.0f / sqrtf(x); }

template <class Number> inline Number add_to(Number *to, Number value) {
    Number before = *to;
    *to = before + value;
    return before;
}

}  // namespace emulate

static inline unsigned __float_as_uint(float x) { return emulate::same_bits<unsigned>(x); }
static inline int __float_as_int(float x) { return emulate::same_bits<int>(x); }
static inline float __uint_as_float(unsigned x) { return emulate::same_bits<float>(x); }
static inline float __int_as_float(int x) { return emulate::same_bits<float>(x); }

template <class Value> static inline Value __ldg(const Value *from) { return *from; }
template <class Value> static inline Value __ldcg(const Value *from) { return *from; }
static inline void __threadfence() {}

// Only one thread runs at a time, so a plain sum is atomic.
static inline int atomicAdd(int *to, int value) { return emulate::add_to(to, value); }
static inline unsigned atomicAdd(unsigned *to, unsigned value) { return emulate::add_to(to, value); }
static inline float atomicAdd(float *to, float value) { return emulate::add_to(to, value); }
static inline double atomicAdd(double *to, double value) { return emulate::add_to(to, value); }

// The C library may declare these names itself, with other meanings or none; so they are macros.
#define rsqrtf(x) emulate::inverse_root(x)
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __powf(x, y) powf(x, y)
#define __fdividef(x, y) ((x) / (y))
