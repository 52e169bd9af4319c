// HDF5: the C library, and the macros that Swift cannot import as values.
#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H
#include <hdf5.h>
#endif
