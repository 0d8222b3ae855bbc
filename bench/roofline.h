// The limit of a core for event kernels: 16-bit lanes loaded from the first-level cache and added.
#ifndef CSSRUN_BENCH_ROOFLINE_H_
#define CSSRUN_BENCH_ROOFLINE_H_

#include <cstddef>

namespace cssrun {

// Streams 16 KiB once with the widest vectors of the machine, two to a register in turn, and
// returns how many lanes were added.
size_t LoadAndAddLanes();

}  // namespace cssrun

#endif  // CSSRUN_BENCH_ROOFLINE_H_
