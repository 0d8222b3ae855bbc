// Where and of what figures are: the machine, the build, the files.
#ifndef CSSRUN_BENCH_NETWORKS_ENVIRONMENT_H_
#define CSSRUN_BENCH_NETWORKS_ENVIRONMENT_H_

#include <string>

#include "cssrun/status.h"

namespace cssrun::bench {

// The processor's name by /proc/cpuinfo; its architecture where it has none there, as on ARM.
std::string ProcessorName();

// The commit that the programs were configured at, with "-dirty" if files had changed; "unknown"
// outside a checkout.
std::string Commit();

// CRC-32 of a file, as zlib and `crc32` have it: eight hexadecimal digits. kIo if it cannot be
// read.
Result<std::string> Crc32OfFile(const std::string& path);

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_NETWORKS_ENVIRONMENT_H_
