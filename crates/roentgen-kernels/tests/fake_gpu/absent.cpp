// Functions of the driver that are not there. They say so and return "not supported", so that a program that needs one can
// be seen to.

#include <cstdio>

#include "driver.hpp"

namespace {

Result absent(const char *name) {
    std::fprintf(stderr, "fake driver: %s is not there\n", name);
    return NOT_SUPPORTED;
}

}  // namespace

#define ABSENT(name) \
    DRIVER Result name() { return absent(#name); }

#include "absent.inc"
#include "absent_graphs.inc"
#include "absent_memory.inc"
