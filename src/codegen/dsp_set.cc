#include "codegen/kernel_set.h"

namespace tinynas {

/// No body of its own yet: every operator runs the portable kernel.
const KernelSet& dsp_kernels() { return portable_kernels(); }

}  // namespace tinynas
