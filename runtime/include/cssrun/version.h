// Versions, and the instruction set that this process runs on.
#ifndef CSSRUN_VERSION_H_
#define CSSRUN_VERSION_H_

#include <cstdint>

#include "cssrun/export.h"

namespace cssrun {

CSSRUN_API const char* Version();     // of the library, "0.1.0"
CSSRUN_API uint32_t FormatVersion();  // of net.fb files that it writes
CSSRUN_API const char* SimdTarget();  // that kernels dispatch to on this machine, "AVX2"

}  // namespace cssrun

#endif  // CSSRUN_VERSION_H_
