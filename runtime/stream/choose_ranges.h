// How much a stream computes at a time, chosen by measurement.
#ifndef CSSRUN_RUNTIME_STREAM_CHOOSE_RANGES_H_
#define CSSRUN_RUNTIME_STREAM_CHOOSE_RANGES_H_

#include <cstdint>

#include "runtime/integer/network.h"

namespace cssrun::internal {

// Columns that kernels compute together. `in_registers`: sums become levels in registers.
uint32_t ColumnsTogether(const IntegerLayer& layer, bool in_registers);

// Rows that are computed before they are compared: as many as have their levels in the first-level
// cache, but more if the weights do not stay near, since all rows then share one reading of them.
constexpr uint32_t kMostBandRows = 16;
uint32_t BandRowsOf(const IntegerLayer& layer, const LevelLayout& levels);

// Computing so many columns between two ranges costs less than beginning another range.
uint32_t GapOf(const IntegerLayer& layer);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_CHOOSE_RANGES_H_
