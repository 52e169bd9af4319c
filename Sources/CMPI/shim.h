// MPI: the C library, and the handles that Swift cannot import because they are macros.
#ifndef CMPI_SHIM_H
#define CMPI_SHIM_H
#include <mpi.h>

// Handles are macros with casts in every MPI implementation, so the MPI standard's own names are given back here as
// Swift globals. Handles are never null; `nonnull` spares the callers a `!`.
#define CMPI_HANDLE(type, name) \
    __attribute__((swift_name("getter:" #name "()"))) static inline type _Nonnull CMPI_##name(void) { return name; }

CMPI_HANDLE(MPI_Comm, MPI_COMM_WORLD)
CMPI_HANDLE(MPI_Errhandler, MPI_ERRORS_RETURN)
CMPI_HANDLE(MPI_Info, MPI_INFO_NULL)

CMPI_HANDLE(MPI_Datatype, MPI_DOUBLE)
CMPI_HANDLE(MPI_Datatype, MPI_FLOAT)
CMPI_HANDLE(MPI_Datatype, MPI_INT32_T)
CMPI_HANDLE(MPI_Datatype, MPI_INT64_T)
CMPI_HANDLE(MPI_Datatype, MPI_UINT64_T)
CMPI_HANDLE(MPI_Datatype, MPI_UINT8_T)

// Says "the data lie in the receive buffer already" in place of a send buffer.
CMPI_HANDLE(const void *, MPI_IN_PLACE)

#undef CMPI_HANDLE
#endif
