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

#endif
