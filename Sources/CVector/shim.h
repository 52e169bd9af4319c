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

// Whether vector_multiply_pair can run here. Its sums must round as those around it do, so that without FMA there it is not used.
static inline int vector_multiply_pair_is_possible(void) {
#if defined(__x86_64__) && defined(__FMA__)
    return __builtin_cpu_supports("avx512f") != 0;
#else
    return 0;
#endif
}

#if defined(__x86_64__) && defined(__FMA__)
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
            sums[i][0] = VECTOR_MULTIPLY_ADD(factor, l, sums[i][0]);
            sums[i][1] = VECTOR_MULTIPLY_ADD(factor, r, sums[i][1]);
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
