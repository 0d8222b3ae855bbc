// Versions, and the instruction set in use. Strings are static; all functions are thread-safe.
#ifndef CSSRUN_VERSION_H_
#define CSSRUN_VERSION_H_

#include <cstdint>

#include "cssrun/export.h"

namespace cssrun {

// The version of the library, such as "0.1.0".
CSSRUN_API const char* Version();
// The version of the net.fb files that this version of the project writes.
CSSRUN_API uint32_t FormatVersion();
// The instruction set that kernels dispatch to on this machine, such as "AVX2".
CSSRUN_API const char* SimdTarget();

}  // namespace cssrun

#endif  // CSSRUN_VERSION_H_
