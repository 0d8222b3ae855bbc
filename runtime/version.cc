#include "cssrun/version.h"

#include "format/network_file.h"
#include "runtime/simd_variant.h"

namespace cssrun {

const char* Version() { return CSSRUN_VERSION; }
uint32_t FormatVersion() { return format::kFormatVersion; }
const char* SimdTarget() { return internal::RunningVariant().name; }

}  // namespace cssrun
