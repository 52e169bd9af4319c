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

#define VECTOR_AVX512 target("avx512f"), min_vector_width(512)

// Tiles of products in AVX-512 registers, [rows, inner] by twice [inner, 16]. Compiled for that processor alone whatever the rest is compiled for,
// which Swift has no word for. Rows come in sixes: row r of those at a[six] has its terms at a[six][r * row + index * step].
static inline __attribute__((always_inline, VECTOR_AVX512)) void vector_multiply_tiles(
    const int sixes, const float *_Nonnull const *_Nonnull a, long row, long step, const float *_Nonnull left,
    const float *_Nonnull right, long inner, float *_Nonnull c, long stride, long second, int accumulating) {
    vector16 sums[12][2] = {};
    for (long index = 0; index < inner; index++) {
        const vector16 l = *(const unaligned16 *)(left + index * 16);
        const vector16 r = *(const unaligned16 *)(right + index * 16);
        // Panels come from the second-level cache, and where a neighbour has the core's other half its own prefetching is late.
        __builtin_prefetch(left + (index + 16) * 16);
        __builtin_prefetch(right + (index + 16) * 16);
#pragma clang loop unroll(full)
        for (int i = 0; i < 6 * sixes; i++) {
            const vector16 factor = (vector16)(a[i / 6][i % 6 * row + index * step]);
            sums[i][0] = __builtin_elementwise_fma(factor, l, sums[i][0]);
            sums[i][1] = __builtin_elementwise_fma(factor, r, sums[i][1]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 6 * sixes; i++) {
        unaligned16 *first = (unaligned16 *)(c + i * stride), *other = (unaligned16 *)(c + i * stride + second);
        *first = accumulating ? sums[i][0] + *first : sums[i][0];
        *other = accumulating ? sums[i][1] + *other : sums[i][1];
    }
}

// Two tiles side by side: twelve sums in flight, as many as multiply-adds need to follow one another without a gap.
__attribute__((noinline, VECTOR_AVX512)) static void vector_multiply_pair(
    const float *_Nonnull a, long row, long step, const float *_Nonnull left, const float *_Nonnull right, long inner,
    float *_Nonnull c, long stride, long second, int accumulating) {
    const float *const rows[] = {a};
    vector_multiply_tiles(1, rows, row, step, left, right, inner, c, stride, second, accumulating);
}

// Two such pairs, one above the other: each panel is read once for twelve rows.
__attribute__((noinline, VECTOR_AVX512)) static void vector_multiply_four(
    const float *_Nonnull upper, const float *_Nonnull lower, long row, long step, const float *_Nonnull left,
    const float *_Nonnull right, long inner, float *_Nonnull c, long stride, long second, int accumulating) {
    const float *const rows[] = {upper, lower};
    vector_multiply_tiles(2, rows, row, step, left, right, inner, c, stride, second, accumulating);
}
#endif

#endif
