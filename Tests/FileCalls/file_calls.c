// Counts the calls that change files below a folder, and lets one of them kill the process or fail. Preloaded into ranks by tests.
//
//   FILE_CALLS_UNDER   only paths that contain this count
//   FILE_CALLS_START   of each thread nothing counts before a path contains this
//   FILE_CALLS_RANK    only this rank of a job counts; all where it is not set
//   FILE_CALLS_LOG     each call that counts is appended to this file as a line `NUMBER NAME PATH`
//   FILE_CALLS_KILL_AT the process is killed instead of making the call of this number, from 1
//   FILE_CALLS_FAIL    `NAME ERRNO`: calls of this name fail so; `write` stands for all kinds of writing
//
// It is compiled by the tests and is no target of the package, because it must be loaded before the C library.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { most_files = 4096 };
static char *paths[most_files];  // of the open files that count
static atomic_int count;
static __thread int started;

static int counts(const char *path) {
    const char *under = getenv("FILE_CALLS_UNDER"), *start = getenv("FILE_CALLS_START");
    const char *rank = getenv("FILE_CALLS_RANK"), *own = getenv("OMPI_COMM_WORLD_RANK");
    if (!path || !under || !strstr(path, under)) return 0;
    if (rank && (!own || strcmp(rank, own))) return 0;
    if (start && strstr(path, start)) started = 1;
    return !start || started;
}

// Whether the call is to fail; the reason is in errno then.
static int fails(const char *name, const char *path) {
    if (!counts(path)) return 0;
    int number = atomic_fetch_add(&count, 1) + 1;
    const char *log = getenv("FILE_CALLS_LOG"), *at = getenv("FILE_CALLS_KILL_AT"), *fail = getenv("FILE_CALLS_FAIL");
    if (log) {
        FILE *file = fopen(log, "a");
        if (file) {
            fprintf(file, "%d %s %s\n", number, name, path);
            fclose(file);
        }
    }
    if (at && number == atoi(at)) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    size_t length = strlen(name);
    if (!fail || strncmp(fail, name, length) || fail[length] != ' ') return 0;
    errno = atoi(fail + length);
    return 1;
}

static const char *path_of(int file) { return file >= 0 && file < most_files ? paths[file] : NULL; }

static int opened(int file, const char *path) {
    if (file >= 0 && file < most_files) {
        free(paths[file]);
        paths[file] = counts(path) ? strdup(path) : NULL;
    }
    return file;
}

#define NEXT(type, name, parameters)                             \
    static type(*next) parameters;                               \
    if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name)

static int changes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT; }

#define OPEN(name)                                                             \
    int name(const char *path, int flags, ...) {                               \
        NEXT(int, name, (const char *, int, ...));                             \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        int mode = va_arg(rest, int);                                          \
        va_end(rest);                                                          \
        if (changes(flags) && fails("open", path)) return -1;                  \
        return opened(next(path, flags, mode), path);                          \
    }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                                          \
    int name(int folder, const char *path, int flags, ...) {                   \
        NEXT(int, name, (int, const char *, int, ...));                        \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        int mode = va_arg(rest, int);                                          \
        va_end(rest);                                                          \
        if (changes(flags) && fails("open", path)) return -1;                  \
        return opened(next(folder, path, flags, mode), path);                  \
    }
OPEN_AT(openat)
OPEN_AT(openat64)

// Calls on an open file.
#define ON_FILE(type, name, kind, parameters, arguments)                       \
    type name parameters {                                                     \
        NEXT(type, name, parameters);                                          \
        return fails(kind, path_of(file)) ? -1 : next arguments;               \
    }
ON_FILE(ssize_t, write, "write", (int file, const void *bytes, size_t size), (file, bytes, size))
ON_FILE(ssize_t, writev, "write", (int file, const struct iovec *parts, int number), (file, parts, number))
ON_FILE(ssize_t, pwrite, "write", (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at))
ON_FILE(ssize_t, pwrite64, "write", (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at))
ON_FILE(int, ftruncate, "truncate", (int file, off_t size), (file, size))
ON_FILE(int, ftruncate64, "truncate", (int file, off64_t size), (file, size))
ON_FILE(int, fsync, "fsync", (int file), (file))
ON_FILE(int, fdatasync, "fsync", (int file), (file))

int close(int file) {
    NEXT(int, close, (int));
    if (file >= 0 && file < most_files) {
        free(paths[file]);
        paths[file] = NULL;
    }
    return next(file);
}

// Calls on a path.
#define ON_PATH(name, kind, path, parameters, arguments)                       \
    int name parameters {                                                      \
        NEXT(int, name, parameters);                                           \
        return fails(kind, path) ? -1 : next arguments;                        \
    }
ON_PATH(mkdir, "mkdir", path, (const char *path, mode_t mode), (path, mode))
ON_PATH(rename, "rename", path, (const char *path, const char *to), (path, to))
ON_PATH(unlink, "unlink", path, (const char *path), (path))
ON_PATH(rmdir, "rmdir", path, (const char *path), (path))
ON_PATH(remove, "unlink", path, (const char *path), (path))
ON_PATH(unlinkat, "unlink", path, (int folder, const char *path, int flags), (folder, path, flags))
