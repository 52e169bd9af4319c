// Vector arithmetic that Swift's SIMD types have lane by lane only.
#ifndef CVECTOR_SHIM_H
#define CVECTOR_SHIM_H

typedef float vector16 __attribute__((ext_vector_type(16)));

// a * b + c with one rounding, where the processor that is compiled for has it; elsewhere with two.
static inline __attribute__((always_inline)) vector16 vector_multiply_add(vector16 a, vector16 b, vector16 c) {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

#endif
