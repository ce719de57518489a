// Copies and fills. They are done at once, whatever the stream, and only within what is allocated.

#include <cstring>

#include "driver.hpp"

namespace {

template <class T> T *at(Address address) { return reinterpret_cast<T *>(address); }

Result to_device(Address to, const void *from, std::size_t bytes) {
    if (!is_allocated(to, bytes, "copy to the device")) return INVALID_VALUE;
    return std::memcpy(at<void>(to), from, bytes), SUCCESS;
}

Result to_host(void *to, Address from, std::size_t bytes) {
    if (!is_allocated(from, bytes, "copy to the host")) return INVALID_VALUE;
    return std::memcpy(to, at<void>(from), bytes), SUCCESS;
}

Result on_device(Address to, Address from, std::size_t bytes) {
    if (!is_allocated(to, bytes, "copy on the device") || !is_allocated(from, bytes, "copy on the device"))
        return INVALID_VALUE;
    return std::memmove(at<void>(to), at<void>(from), bytes), SUCCESS;
}

template <class T> Result fill(Address to, T value, std::size_t count) {
    if (!is_allocated(to, count * sizeof(T), "fill")) return INVALID_VALUE;
    if (to % sizeof(T) != 0) return INVALID_VALUE;
    for (std::size_t i = 0; i < count; i++) at<T>(to)[i] = value;
    return SUCCESS;
}

// CUDA_MEMCPY2D has one of these for the source and one for the destination.
struct Side {
    std::size_t x, y;
    unsigned kind;
    char *host;
    Address device;
    void *array;
    std::size_t pitch;
};
struct Copy2D {
    Side from, to;
    std::size_t width, height;
};
static_assert(sizeof(Copy2D) == 128, "the driver's struct has 128 bytes");
enum Kind : unsigned { HOST = 1, ARRAY = 3 };

// Where the first row begins; null where the copy is not allowed.
char *first_row(const Side &side, const Copy2D &copy) {
    if (copy.height > 1 && side.pitch < side.x + copy.width) return nullptr;
    char *memory = side.kind == HOST ? side.host : at<char>(side.device);
    char *first = memory + side.y * side.pitch + side.x;
    std::size_t bytes = (copy.height - 1) * side.pitch + copy.width;
    bool is_allowed = side.kind == HOST || is_allocated(reinterpret_cast<Address>(first), bytes, "copy of rows");
    return is_allowed ? first : nullptr;
}

Result rows(const Copy2D &copy) {
    if (copy.width == 0 || copy.height == 0) return SUCCESS;
    if (copy.from.kind == ARRAY || copy.to.kind == ARRAY) return NOT_SUPPORTED;
    char *from = first_row(copy.from, copy), *to = first_row(copy.to, copy);
    if (!from || !to) return INVALID_VALUE;
    for (std::size_t row = 0; row < copy.height; row++)
        std::memmove(to + row * copy.to.pitch, from + row * copy.from.pitch, copy.width);
    return SUCCESS;
}

}  // namespace

DRIVER Result cuMemcpyHtoD_v2(Address to, const void *from, std::size_t bytes) { return to_device(to, from, bytes); }
DRIVER Result cuMemcpyHtoDAsync_v2(Address to, const void *from, std::size_t bytes, void *) {
    return to_device(to, from, bytes);
}
DRIVER Result cuMemcpyDtoH_v2(void *to, Address from, std::size_t bytes) { return to_host(to, from, bytes); }
DRIVER Result cuMemcpyDtoHAsync_v2(void *to, Address from, std::size_t bytes, void *) { return to_host(to, from, bytes); }
DRIVER Result cuMemcpyDtoD_v2(Address to, Address from, std::size_t bytes) { return on_device(to, from, bytes); }
DRIVER Result cuMemcpyDtoDAsync_v2(Address to, Address from, std::size_t bytes, void *) {
    return on_device(to, from, bytes);
}
// Either side of these two may be plain memory of the host.
DRIVER Result cuMemcpy(Address to, Address from, std::size_t bytes) {
    return std::memmove(at<void>(to), at<void>(from), bytes), SUCCESS;
}
DRIVER Result cuMemcpyAsync(Address to, Address from, std::size_t bytes, void *) { return cuMemcpy(to, from, bytes); }

DRIVER Result cuMemcpy2D_v2(const Copy2D *copy) { return rows(*copy); }
DRIVER Result cuMemcpy2DUnaligned_v2(const Copy2D *copy) { return rows(*copy); }
DRIVER Result cuMemcpy2DAsync_v2(const Copy2D *copy, void *) { return rows(*copy); }

DRIVER Result cuMemsetD8_v2(Address to, std::uint8_t value, std::size_t count) { return fill(to, value, count); }
DRIVER Result cuMemsetD8Async(Address to, std::uint8_t value, std::size_t count, void *) { return fill(to, value, count); }
DRIVER Result cuMemsetD16_v2(Address to, std::uint16_t value, std::size_t count) { return fill(to, value, count); }
DRIVER Result cuMemsetD16Async(Address to, std::uint16_t value, std::size_t count, void *) {
    return fill(to, value, count);
}
DRIVER Result cuMemsetD32_v2(Address to, std::uint32_t value, std::size_t count) { return fill(to, value, count); }
DRIVER Result cuMemsetD32Async(Address to, std::uint32_t value, std::size_t count, void *) {
    return fill(to, value, count);
}
