// HDF5: the C library, and the macros that Swift cannot import as values.
#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H
#include <hdf5.h>

// Each of these macros first opens the library, so that the variable behind it is set; a macro with a call in it is
// invisible to Swift. The variables themselves (`H5T_NATIVE_FLOAT_g`) must never be read directly.
#define CHDF5_CONSTANT(type, name) \
    __attribute__((swift_name("getter:" #name "()"))) static inline type CHDF5_##name(void) { return name; }

CHDF5_CONSTANT(unsigned, H5F_ACC_RDONLY)
CHDF5_CONSTANT(unsigned, H5F_ACC_EXCL)

CHDF5_CONSTANT(hid_t, H5P_DATASET_CREATE)
CHDF5_CONSTANT(hid_t, H5P_FILE_ACCESS)
CHDF5_CONSTANT(hid_t, H5P_LINK_CREATE)

CHDF5_CONSTANT(hid_t, H5T_C_S1)
CHDF5_CONSTANT(hid_t, H5T_NATIVE_DOUBLE)
CHDF5_CONSTANT(hid_t, H5T_NATIVE_FLOAT)
CHDF5_CONSTANT(hid_t, H5T_NATIVE_INT32)
CHDF5_CONSTANT(hid_t, H5T_NATIVE_INT64)
CHDF5_CONSTANT(hid_t, H5T_NATIVE_UINT8)

// Casts are invisible to Swift too.
CHDF5_CONSTANT(size_t, H5T_VARIABLE)
CHDF5_CONSTANT(haddr_t, HADDR_UNDEF)

#undef CHDF5_CONSTANT
#endif
