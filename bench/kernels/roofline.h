// Limits of a core, measured by loops that do one thing only:
//
// - for event kernels, 16-bit lanes loaded and added, from the first-level cache in order, or as
// rows
//   of a table in an order that nobody can foresee;
// - for level kernels, products of levels and weights;
// - for potentials and pixels, floats that come from the first-level cache and return to it.
//
// Each runs the widest vectors of this machine for some microseconds.
#ifndef CSSRUN_BENCH_KERNELS_ROOFLINE_H_
#define CSSRUN_BENCH_KERNELS_ROOFLINE_H_

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

// Issues nothing but the instruction that a LevelConv of this machine multiplies with, on as many
// sums as hide its latency. Returns how many products of a level and a weight were added. The
// second one loads the weights from the first-level cache.
size_t MultiplyBytes();
size_t LoadAndMultiplyBytes();
// What that instruction is: "8-bit products (VNNI)" or "16-bit pairs".
const char* ByteProductsVariant();

// Streams 8 KiB of floats and writes them, multiplied and added to, to another 8 KiB. Returns the
// floats.
size_t StreamFloats();

}  // namespace cssrun

#endif  // CSSRUN_BENCH_KERNELS_ROOFLINE_H_
