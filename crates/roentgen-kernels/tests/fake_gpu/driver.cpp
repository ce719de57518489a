// The device, its context and the names of errors. The device is an H100 in what it says of itself.

#include "driver.hpp"

#include <cstdio>
#include <cstring>
#include <vector>

namespace {

int the_context;

// Contexts of the calling host thread; the last one is current.
std::vector<void *> &contexts() {
    thread_local std::vector<void *> stack;
    return stack;
}

// By the numbers of CUdevice_attribute; what is not here is zero.
int attribute(int which) {
    switch (which) {
        case 1: return 1024;         // threads of a block
        case 2: return 1024;         // its x
        case 3: return 1024;         // its y
        case 4: return 64;           // its z
        case 5: return 2147483647;   // blocks of a grid, its x
        case 6: return 65535;        // its y
        case 7: return 65535;        // its z
        case 8: return 49152;        // shared memory of a block
        case 9: return 65536;        // constant memory
        case 10: return 32;          // threads of a warp
        case 11: return 2147483647;  // greatest pitch
        case 12: return 65536;       // registers of a block
        case 13: return 1980000;     // clock in kHz
        case 14: return 512;         // alignment of textures
        case 15: return 1;           // copies while kernels run
        case 16: return 132;         // multiprocessors
        case 19: return 1;           // pinned memory is mapped
        case 31: return 1;           // kernels run at the same time
        case 36: return 2619000;     // memory's clock in kHz
        case 37: return 5120;        // memory's bits
        case 38: return 52428800;    // bytes of L2
        case 39: return 2048;        // threads of a multiprocessor
        case 40: return 3;           // engines for copies
        case 41: return 1;           // one address space
        case 75: return 9;           // compute capability, 9.0
        case 76: return 0;
        case 78: return 1;           // streams have priorities
        case 81: return 233472;      // shared memory of a multiprocessor
        case 82: return 65536;       // registers of a multiprocessor
        case 95: return 1;           // cooperative launches
        case 97: return 232448;      // shared memory of a block that asks for it
        case 106: return 32;         // blocks of a multiprocessor
        case 115: return 1;          // pools of memory
        case 120: return 1;          // clusters
        default: return 0;
    }
}

struct Error {
    Result code;
    const char *name, *text;
};
const Error ERRORS[] = {
    {SUCCESS, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "no context is current to the calling thread"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "the fake driver lacks the function"},
};

const Error *error(int code) {
    for (const Error &error : ERRORS)
        if (error.code == code) return &error;
    return nullptr;
}

Result text(char *to, int room, const char *from) {
    std::snprintf(to, static_cast<std::size_t>(room), "%s", from);
    return SUCCESS;
}

}  // namespace

bool has_context() { return !contexts().empty() && contexts().back(); }

DRIVER Result cuInit(unsigned) { return SUCCESS; }
DRIVER Result cuDriverGetVersion(int *version) { return *version = 13000, SUCCESS; }
DRIVER Result cuGetErrorName(int code, const char **name) {
    const Error *known = error(code);
    *name = known ? known->name : "CUDA_ERROR_UNKNOWN";
    return known ? SUCCESS : INVALID_VALUE;
}
DRIVER Result cuGetErrorString(int code, const char **text) {
    const Error *known = error(code);
    *text = known ? known->text : "unknown error";
    return known ? SUCCESS : INVALID_VALUE;
}

DRIVER Result cuDeviceGet(int *device, int which) { return *device = 0, which == 0 ? SUCCESS : INVALID_DEVICE; }
DRIVER Result cuDeviceGetCount(int *count) { return *count = 1, SUCCESS; }
DRIVER Result cuDeviceGetName(char *name, int room, int) { return text(name, room, "NVIDIA H100 80GB HBM3"); }
DRIVER Result cuDeviceGetPCIBusId(char *id, int room, int) { return text(id, room, "0000:00:01.0"); }
DRIVER Result cuDeviceTotalMem_v2(std::size_t *bytes, int) { return *bytes = device_capacity(), SUCCESS; }
DRIVER Result cuDeviceGetAttribute(int *value, int which, int) { return *value = attribute(which), SUCCESS; }
DRIVER Result cuDeviceComputeCapability(int *major, int *minor, int) { return *major = 9, *minor = 0, SUCCESS; }
DRIVER Result cuDeviceGetUuid_v2(char *uuid, int) { return std::memcpy(uuid, "fake GPU of rust", 16), SUCCESS; }
DRIVER Result cuDeviceGetUuid(char *uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }

DRIVER Result cuDevicePrimaryCtxRetain(void **context, int) { return *context = &the_context, SUCCESS; }
DRIVER Result cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
DRIVER Result cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { return SUCCESS; }
DRIVER Result cuDevicePrimaryCtxGetState(int, unsigned *flags, int *is_active) {
    return *flags = 0, *is_active = 1, SUCCESS;
}
DRIVER Result cuCtxSetCurrent(void *context) {
    if (!contexts().empty()) contexts().pop_back();
    if (context) contexts().push_back(context);
    return SUCCESS;
}
DRIVER Result cuCtxGetCurrent(void **context) {
    *context = contexts().empty() ? nullptr : contexts().back();
    return SUCCESS;
}
DRIVER Result cuCtxPushCurrent_v2(void *context) {
    if (!context) return INVALID_VALUE;
    contexts().push_back(context);
    return SUCCESS;
}
DRIVER Result cuCtxPopCurrent_v2(void **context) {
    if (contexts().empty()) return INVALID_CONTEXT;
    if (context) *context = contexts().back();
    contexts().pop_back();
    return SUCCESS;
}
DRIVER Result cuCtxGetDevice(int *device) { return *device = 0, has_context() ? SUCCESS : INVALID_CONTEXT; }
DRIVER Result cuCtxGetApiVersion(void *, unsigned *version) { return *version = 13000, SUCCESS; }
DRIVER Result cuCtxGetStreamPriorityRange(int *least, int *greatest) {
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return has_context() ? SUCCESS : INVALID_CONTEXT;
}
DRIVER Result cuCtxSynchronize() { return has_context() ? SUCCESS : INVALID_CONTEXT; }
DRIVER Result cuCtxSetFlags(unsigned) { return SUCCESS; }
DRIVER Result cuCtxSetLimit(int, std::size_t) { return SUCCESS; }
DRIVER Result cuCtxSetCacheConfig(int) { return SUCCESS; }
DRIVER Result cuProfilerStart() { return SUCCESS; }
DRIVER Result cuProfilerStop() { return SUCCESS; }
