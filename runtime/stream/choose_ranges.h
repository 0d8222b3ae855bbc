// What a stream computes at a time, by measurement.
#ifndef CSSRUN_RUNTIME_STREAM_CHOOSE_RANGES_H_
#define CSSRUN_RUNTIME_STREAM_CHOOSE_RANGES_H_

#include <cstdint>

#include "runtime/integer/network.h"

namespace cssrun::internal {

// Rows that are computed before they are compared: as many as the first-level cache holds levels
// of, but more where weights do not stay near, which come once for all of them.
constexpr uint32_t kMostBandRows = 16;
uint32_t BandRowsOf(const IntegerLayer& layer, const LevelLayout& levels);

// Columns between two ranges that cost less than it does to begin a range.
uint32_t GapOf(const IntegerLayer& layer);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_CHOOSE_RANGES_H_
