// Vector arithmetic that Swift's SIMD types have lane by lane only.
#ifndef CVECTOR_SHIM_H
#define CVECTOR_SHIM_H

typedef float vector8 __attribute__((ext_vector_type(8)));
typedef float vector16 __attribute__((ext_vector_type(16)));

// a * b + c with one rounding, where the processor that is compiled for has it; elsewhere with two.
#if defined(__FMA__) || defined(__aarch64__)
#define VECTOR_MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define VECTOR_MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

static inline __attribute__((always_inline)) vector16 vector_multiply_add(vector16 a, vector16 b, vector16 c) {
    return VECTOR_MULTIPLY_ADD(a, b, c);
}

static inline __attribute__((always_inline)) vector8 vector8_multiply_add(vector8 a, vector8 b, vector8 c) {
    return VECTOR_MULTIPLY_ADD(a, b, c);
}

// The first `count` floats at `floats`, 0 to 8 of them, and zeros; nothing behind them is touched.
static inline __attribute__((always_inline)) vector8 vector8_first(const float *_Nonnull floats, long count) {
#ifdef __AVX__
    typedef float lanes __attribute__((vector_size(32)));
    typedef int mask __attribute__((vector_size(32)));
    static const int masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    mask first;
    __builtin_memcpy(&first, masks + 8 - count, sizeof first);
    return (vector8)__builtin_ia32_maskloadps256((const lanes *)floats, first);
#else
    vector8 lanes = 0;
    __builtin_memcpy(&lanes, floats, 4 * count);
    return lanes;
#endif
}

// Whether vector_multiply_pair can run here. Its sums must round as those around it do, so that without FMA there it is not used.
static inline int vector_multiply_pair_is_possible(void) {
#if defined(__x86_64__) && defined(__FMA__)
    return __builtin_cpu_supports("avx512f") != 0;
#else
    return 0;
#endif
}

#ifdef __x86_64__
typedef float unaligned16 __attribute__((ext_vector_type(16), aligned(4)));

// Two tiles of products side by side, [6, inner] by twice [inner, 16], in AVX-512 registers: twelve sums in flight, as many as its multiply-adds
// need to follow one another without a gap. Compiled for that processor alone whatever the rest is compiled for, which Swift has no word for.
// Row r of the left factor has its terms at a[r * row + index * step].
__attribute__((noinline, target("avx512f"), min_vector_width(512)))
static void vector_multiply_pair(
    const float *_Nonnull a, long row, long step, const float *_Nonnull left, const float *_Nonnull right, long inner,
    float *_Nonnull c, long stride, long second, int accumulating) {
    vector16 sums[6][2] = {};
    for (long index = 0; index < inner; index++) {
        const vector16 l = *(const unaligned16 *)(left + index * 16);
        const vector16 r = *(const unaligned16 *)(right + index * 16);
#pragma clang loop unroll(full)
        for (int i = 0; i < 6; i++) {
            const vector16 factor = (vector16)(a[i * row + index * step]);
            sums[i][0] = __builtin_elementwise_fma(factor, l, sums[i][0]);
            sums[i][1] = __builtin_elementwise_fma(factor, r, sums[i][1]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 6; i++) {
        unaligned16 *first = (unaligned16 *)(c + i * stride), *other = (unaligned16 *)(c + i * stride + second);
        *first = accumulating ? sums[i][0] + *first : sums[i][0];
        *other = accumulating ? sums[i][1] + *other : sums[i][1];
    }
}
#endif

#endif
