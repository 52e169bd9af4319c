// OpenBLAS: the C interface to matrix products and the library's own settings.
#ifndef COPENBLAS_SHIM_H
#define COPENBLAS_SHIM_H
#include <cblas.h>
#endif
