// What the parts of the driver share.
#pragma once

#include <cstddef>
#include <cstdint>

// A function that a program finds in the library.
#define DRIVER extern "C" __attribute__((visibility("default")))

enum Result : int {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_SUPPORTED = 801,
};

// Device memory is host memory, so an address is one of the host.
using Address = std::uint64_t;

// Whether the calling host thread has a context. Much of CUDA refuses to work without one.
bool has_context();

// Memory (memory.cpp). The device has as much as an H100, or FAKE_CUDA_BYTES.
std::size_t device_capacity();
std::size_t device_bytes();
// Whether the bytes all lie in one allocation, of the device or of pinned memory; a message tells where they do not.
bool is_allocated(Address address, std::size_t bytes, const char *what);

// Launches (counts.cpp).
struct Function;
Function *function_named(const char *name);
const char *name_of(const Function *function);
void count_launch(Function *function);
void count_allocation(std::size_t bytes_now);
// Time that goes on by launches alone, in microseconds.
double fake_time();
