// Counts the calls that allocate memory on one thread, outside of MPI. Preloaded into ranks by AllocationTests.
//
// It is compiled by the test and is no target of the package, because a library that replaces malloc must be loaded before the C
// library, which SwiftPM cannot ask for; linked into a test bundle it would replace malloc there as well.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/types.h>

// The C library's own names for what is replaced below; dlsym could allocate while it looks for them.
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static __thread int counting;
static __thread int inside_library;
static __thread long count;

static void note(void) {
    if (counting && !inside_library) {
        count++;
        if (getenv("STOP_AT_ALLOCATION")) __builtin_trap();  // for a debugger: who allocates?
    }
}

// Begins to count on the calling thread, or ends and returns the count.
long count_allocations_of_this_thread(int begin) {
    counting = begin;
    if (begin) count = 0;
    return count;
}

void *malloc(size_t size) { note(); return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { note(); return __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { note(); return __libc_realloc(old, size); }
void *aligned_alloc(size_t alignment, size_t size) { note(); return __libc_memalign(alignment, size); }
void *memalign(size_t alignment, size_t size) { note(); return __libc_memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    note();
    *result = __libc_memalign(alignment, size);
    return *result || size == 0 ? 0 : ENOMEM;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    static void *(*next)(void *, size_t, int, int, int, off_t);
    note();
    if (!next) next = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
    return next(address, length, protection, flags, file, offset);
}

// What MPI allocates is its own affair. Its functions are wrapped without its header: a handle or a number fills one register or
// stack slot whatever its type, so `long` passes any of them on.
#define WRAP(name, parameters, arguments)                         \
    int name parameters {                                         \
        static int(*next) parameters;                             \
        inside_library++;                                         \
        if (!next) next = (int(*) parameters)dlsym(RTLD_NEXT, #name); \
        int code = next arguments;                                \
        inside_library--;                                         \
        return code;                                              \
    }

WRAP(MPI_Allgatherv, (long a, long b, long c, long d, long e, long f, long g, long h), (a, b, c, d, e, f, g, h))
WRAP(MPI_Allgather, (long a, long b, long c, long d, long e, long f, long g), (a, b, c, d, e, f, g))
WRAP(MPI_Allreduce, (long a, long b, long c, long d, long e, long f), (a, b, c, d, e, f))
WRAP(MPI_Isend, (long a, long b, long c, long d, long e, long f, long g), (a, b, c, d, e, f, g))
WRAP(MPI_Irecv, (long a, long b, long c, long d, long e, long f, long g), (a, b, c, d, e, f, g))
WRAP(MPI_Barrier, (long a), (a))
WRAP(MPI_Win_sync, (long a), (a))
WRAP(MPI_Waitall, (long a, long b, long c), (a, b, c))
