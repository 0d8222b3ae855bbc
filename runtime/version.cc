#include "cssrun/version.h"

#include "format/network_file.h"
#include "runtime/float/kernels.h"

namespace cssrun {

const char* Version() { return CSSRUN_VERSION; }
uint32_t FormatVersion() { return kFormatVersion; }
const char* SimdTarget() { return internal::KernelTarget(); }

}  // namespace cssrun
