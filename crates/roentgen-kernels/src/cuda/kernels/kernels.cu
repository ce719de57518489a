// All kernels, in the order in which they build on each other.
#include "element.cu"
#include "sums.cu"
#include "norm.cu"
#include "channel_norm.cu"
#include "gelu.cu"
#include "scaled_add.cu"
#include "window.cu"
DEPTHWISE(3, 1, 4)
DEPTHWISE(3, 2, 4)
DEPTHWISE(5, 1, 2)
DEPTHWISE(5, 2, 2)
DEPTHWISE(7, 1, 1)
#include "depthwise.cu"
#include "pool.cu"
#include "layout.cu"
#include "dense.cu"
#include "adam.cu"
#include "unscale.cu"
