// Stands for an HDF5 that fails on a file. Preloaded into programs by tests.
//
//   FAILING_HDF5       `crash`: opening a file crashes; `spin`: opening one comes to no end
//   FAILING_HDF5_UNDER only files whose path contains this
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

int64_t H5Fopen(const char *path, unsigned flags, int64_t properties) {
    const char *how = getenv("FAILING_HDF5"), *under = getenv("FAILING_HDF5_UNDER");
    if (how && under && strstr(path, under)) {
        if (strcmp(how, "crash") == 0) *(volatile int *)0 = 0;
        // Nobody waits for the whole patience of the program.
        struct itimerval timer;
        getitimer(ITIMER_PROF, &timer);
        if (timer.it_value.tv_sec > 1) timer.it_value.tv_sec = 1;
        setitimer(ITIMER_PROF, &timer, NULL);
        for (volatile int turns = 0;; turns++) {}
    }
    int64_t (*open)(const char *, unsigned, int64_t) = (int64_t(*)(const char *, unsigned, int64_t))dlsym(RTLD_NEXT, "H5Fopen");
    return open(path, flags, properties);
}
