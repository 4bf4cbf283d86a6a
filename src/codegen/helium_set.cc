#include "codegen/kernel_set.h"

namespace tinynas {

/// No body of its own yet: every operator runs the portable kernel.
const KernelSet& helium_kernels() { return portable_kernels(); }

}  // namespace tinynas
