// Allocations. Fresh device memory is full of 0xFF, which is no number in any element, so that a read of what was never
// written shows.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "driver.hpp"

namespace {

// Larger allocations are mapped from a file of 0xFF, page by page, and cost memory only where they are written: CubeCL
// asks for pages of many gigabytes.
constexpr std::size_t LARGE = 16 << 20;
constexpr std::size_t ALIGNMENT = 512;

struct Allocation {
    std::size_t bytes;
    bool is_on_device;
};

std::mutex lock;
// They lie by address. The map outlives all static objects, as a program may free while it ends.
std::map<Address, Allocation> &allocations = *new std::map<Address, Allocation>;
std::size_t bytes_now;

std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

int file_of_ones() {
    static int file = [] {
        int made = memfd_create("fake_gpu", MFD_CLOEXEC);
        if (made < 0 || ftruncate(made, LARGE) != 0) return -1;
        void *all = mmap(nullptr, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
        if (all == MAP_FAILED) return -1;
        std::memset(all, 0xFF, LARGE);
        munmap(all, LARGE);
        return made;
    }();
    return file;
}

void *map_ones(std::size_t bytes) {
    bytes = round_up(bytes, LARGE);
    void *all = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return nullptr;
    for (std::size_t at = 0; at < bytes; at += LARGE) {
        void *part = mmap(static_cast<char *>(all) + at, LARGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file_of_ones(), 0);
        if (part == MAP_FAILED) {
            munmap(all, bytes);
            return nullptr;
        }
    }
    return all;
}

Result allocate(Address *address, std::size_t bytes, bool is_on_device) {
    if (!address || bytes == 0) return INVALID_VALUE;
    std::lock_guard<std::mutex> guard(lock);
    if (is_on_device && bytes > device_capacity() - bytes_now) return OUT_OF_MEMORY;
    void *memory = bytes >= LARGE ? map_ones(bytes) : std::aligned_alloc(ALIGNMENT, round_up(bytes, ALIGNMENT));
    if (!memory) return OUT_OF_MEMORY;
    if (bytes < LARGE) std::memset(memory, 0xFF, round_up(bytes, ALIGNMENT));
    *address = reinterpret_cast<Address>(memory);
    allocations[*address] = {bytes, is_on_device};
    if (is_on_device) {
        bytes_now += bytes;
        count_allocation(bytes_now);
    }
    return SUCCESS;
}

Result release(Address address, bool is_on_device) {
    if (address == 0) return SUCCESS;
    std::lock_guard<std::mutex> guard(lock);
    auto found = allocations.find(address);
    if (found == allocations.end() || found->second.is_on_device != is_on_device) {
        std::fprintf(stderr, "fake driver: nothing to free at %#lx\n", static_cast<unsigned long>(address));
        return INVALID_VALUE;
    }
    std::size_t bytes = found->second.bytes;
    allocations.erase(found);
    if (is_on_device) bytes_now -= bytes;
    void *memory = reinterpret_cast<void *>(address);
    if (bytes >= LARGE)
        munmap(memory, round_up(bytes, LARGE));
    else
        std::free(memory);
    return SUCCESS;
}

// The caller holds the lock.
std::map<Address, Allocation>::iterator around(Address address) {
    auto next = allocations.upper_bound(address);
    if (next == allocations.begin()) return allocations.end();
    auto found = std::prev(next);
    return address < found->first + found->second.bytes ? found : allocations.end();
}

}  // namespace

std::size_t device_capacity() {
    static const std::size_t capacity = [] {
        const char *bytes = std::getenv("FAKE_CUDA_BYTES");
        return bytes ? std::strtoull(bytes, nullptr, 10) : 85029158912;
    }();
    return capacity;
}

std::size_t device_bytes() {
    std::lock_guard<std::mutex> guard(lock);
    return bytes_now;
}

bool is_allocated(Address address, std::size_t bytes, const char *what) {
    if (bytes == 0) return true;
    std::lock_guard<std::mutex> guard(lock);
    auto found = around(address);
    if (found != allocations.end() && bytes <= found->first + found->second.bytes - address) return true;
    std::fprintf(stderr, "fake driver: %s of %zu bytes at %#lx, which are not all allocated\n", what, bytes,
                 static_cast<unsigned long>(address));
    return false;
}

DRIVER Result cuMemAlloc_v2(Address *address, std::size_t bytes) {
    return has_context() ? allocate(address, bytes, true) : INVALID_CONTEXT;
}
DRIVER Result cuMemAllocAsync(Address *address, std::size_t bytes, void *) { return allocate(address, bytes, true); }
DRIVER Result cuMemAllocFromPoolAsync(Address *address, std::size_t bytes, void *, void *) {
    return allocate(address, bytes, true);
}
DRIVER Result cuMemFree_v2(Address address) { return release(address, true); }
DRIVER Result cuMemFreeAsync(Address address, void *) { return release(address, true); }
DRIVER Result cuMemGetInfo_v2(std::size_t *free, std::size_t *total) {
    if (!has_context()) return INVALID_CONTEXT;
    *total = device_capacity();
    *free = *total - device_bytes();
    return SUCCESS;
}

DRIVER Result cuMemHostAlloc(void **memory, std::size_t bytes, unsigned) {
    Address address = 0;
    Result result = has_context() ? allocate(&address, bytes, false) : INVALID_CONTEXT;
    *memory = reinterpret_cast<void *>(address);
    return result;
}
DRIVER Result cuMemAllocHost_v2(void **memory, std::size_t bytes) { return cuMemHostAlloc(memory, bytes, 0); }
DRIVER Result cuMemFreeHost(void *memory) { return release(reinterpret_cast<Address>(memory), false); }
DRIVER Result cuMemHostGetDevicePointer_v2(Address *address, void *memory, unsigned) {
    *address = reinterpret_cast<Address>(memory);
    return is_allocated(*address, 1, "device pointer") ? SUCCESS : INVALID_VALUE;
}

// The pool is only a name: memory is not kept.
DRIVER Result cuDeviceGetDefaultMemPool(void **pool, int) { return *pool = &bytes_now, SUCCESS; }
DRIVER Result cuDeviceGetMemPool(void **pool, int) { return *pool = &bytes_now, SUCCESS; }
DRIVER Result cuMemPoolSetAttribute(void *, int, void *) { return SUCCESS; }
DRIVER Result cuMemPoolTrimTo(void *, std::size_t) { return SUCCESS; }

DRIVER Result cuMemGetAddressRange_v2(Address *first, std::size_t *bytes, Address address) {
    std::lock_guard<std::mutex> guard(lock);
    auto found = around(address);
    if (found == allocations.end()) return NOT_FOUND;
    if (first) *first = found->first;
    if (bytes) *bytes = found->second.bytes;
    return SUCCESS;
}
DRIVER Result cuPointerGetAttribute(void *value, int which, Address address) {
    std::lock_guard<std::mutex> guard(lock);
    auto found = around(address);
    if (found == allocations.end()) return INVALID_VALUE;
    switch (which) {
        case 2: return *static_cast<unsigned *>(value) = found->second.is_on_device ? 2 : 1, SUCCESS;  // kind of memory
        case 3: return *static_cast<Address *>(value) = address, SUCCESS;                              // on the device
        case 8: return *static_cast<unsigned *>(value) = 0, SUCCESS;                                   // managed or not
        case 9: return *static_cast<int *>(value) = 0, SUCCESS;                                        // which device
        default: return NOT_SUPPORTED;
    }
}
