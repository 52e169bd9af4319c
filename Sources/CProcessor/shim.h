// What the kernels were compiled for, and whether this processor has it.
#ifndef CPROCESSOR_SHIM_H
#define CPROCESSOR_SHIM_H

// Seen by the kernels' target, whose -march defines the macros. Name of an instruction set that is missing, or NULL.
static inline const char *_Nullable processor_missing_feature(void) {
#if defined(__x86_64__)
#ifdef __AVX__
    if (!__builtin_cpu_supports("avx")) return "AVX";
#endif
#ifdef __AVX2__
    if (!__builtin_cpu_supports("avx2")) return "AVX2";
#endif
#ifdef __FMA__
    if (!__builtin_cpu_supports("fma")) return "FMA";
#endif
#ifdef __BMI2__
    if (!__builtin_cpu_supports("bmi2")) return "BMI2";
#endif
#ifdef __AVX512F__
    if (!__builtin_cpu_supports("avx512f")) return "AVX-512";
#endif
#endif
    return 0;
}

#endif
