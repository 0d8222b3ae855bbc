// Limits of a core, measured by loops that do one thing only:
//
// - for event kernels, 16-bit lanes loaded from the first-level cache and added, in order or as
//   rows of a table in an unpredictable order;
// - for level kernels, products of levels and weights;
// - for potentials and pixels, floats loaded from the first-level cache and stored to it.
//
// Each loop uses the widest vectors of this machine and runs for some microseconds.
#ifndef CSSRUN_BENCH_KERNELS_ROOFLINE_H_
#define CSSRUN_BENCH_KERNELS_ROOFLINE_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace cssrun {

// Streams 16 KiB once with the widest vectors of the machine and adds them to two registers in
// turn. Returns how many lanes were added.
size_t LoadAndAddLanes();

// Adds up the rows of 64 lanes in each list [bounds[i], bounds[i + 1]). The length of each list is
// a multiple of four. Returns how many lanes were added.
size_t AddRowsOfTable(std::span<const int16_t> table, std::span<const uint16_t> rows,
                      std::span<const uint32_t> bounds);

// Runs only the instruction with which LevelConv multiplies on this machine, on enough sums to hide
// its latency. Returns how many products of a level and a weight were added. The second function
// loads the weights from the first-level cache.
size_t MultiplyBytes();
size_t LoadAndMultiplyBytes();
// The same where vpmaddubsw's 16 bits hold two products and no more, as those of levels up to 255.
size_t MultiplyPairsOfBytes();
// Returns the name of that instruction: as LevelConvVariant() has it.
const char* ByteProductsVariant();

// Loads 8 KiB of floats, multiplies and adds to each, and stores them to another 8 KiB. Returns the
// number of floats.
size_t StreamFloats();

// Products of floats added to sums, in registers. Returns how many.
size_t MultiplyFloats();

}  // namespace cssrun

#endif  // CSSRUN_BENCH_KERNELS_ROOFLINE_H_
