// The project's kernels for one element, of which ELEMENT is the code. The build compiles the file once for each element,
// and generates registered.inc from the kernels' source. A namespace keeps the elements' types apart.

#include "emulate.hpp"
#include "launch.hpp"

#define SPACE_OF(element) element_##element
#define SPACE(element) SPACE_OF(element)

namespace SPACE(ELEMENT) {

#include "kernels.cu"

#include "registered.inc"

}  // namespace SPACE(ELEMENT)
