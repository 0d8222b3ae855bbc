// Versions, and the instruction set that this process runs on.
#ifndef CSSRUN_VERSION_H_
#define CSSRUN_VERSION_H_

#include <cstdint>

namespace cssrun {

const char* Version();     // of the library, "0.1.0"
uint32_t FormatVersion();  // of net.fb files that it writes
const char* SimdTarget();  // that kernels dispatch to on this machine, "AVX2"

}  // namespace cssrun

#endif  // CSSRUN_VERSION_H_
