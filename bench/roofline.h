// Limits of a core for event kernels: 16-bit lanes loaded and added, from the first-level cache in
// order, or as rows of a table in an order that nobody can foresee.
#ifndef CSSRUN_BENCH_ROOFLINE_H_
#define CSSRUN_BENCH_ROOFLINE_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace cssrun {

// Streams 16 KiB once with the widest vectors of the machine, two to a register in turn, and
// returns how many lanes were added.
size_t LoadAndAddLanes();

// For each list [bounds[i], bounds[i + 1]) of rows of 64 lanes adds these up; lists are whole
// fours. Returns how many lanes were added.
size_t AddRowsOfTable(std::span<const int16_t> table, std::span<const uint16_t> rows,
                      std::span<const uint32_t> bounds);

}  // namespace cssrun

#endif  // CSSRUN_BENCH_ROOFLINE_H_
