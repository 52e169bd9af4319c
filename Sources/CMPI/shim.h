// MPI: the C library, and the handles that Swift cannot import because they are macros.
#ifndef CMPI_SHIM_H
#define CMPI_SHIM_H
#include <mpi.h>
#endif
