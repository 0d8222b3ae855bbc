#include "runtime/integer/kernels/fan_out.h"

#include <algorithm>
#include <bit>
#include <map>

#include "runtime/assert.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/fan_out.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

// Compiled for each target for its instruction that counts bits.
uint64_t CountSynopsTarget(const FanOut& fan_out, const SpikeFrame& frame, size_t first,
                           size_t last) {
  CSSRUN_ASSERT(last <= fan_out.row_readers.size() && last <= frame.rows());
  uint64_t synops = 0;
  for (size_t row = first; row < last; ++row) {
    if (fan_out.row_readers[row] == 0) continue;
    const uint64_t* words = frame.Row(row);
    int64_t columns = int64_t{frame.counts[row]} * fan_out.usual_columns;
    for (const FanOut::Exception& e : fan_out.exceptions) {
      columns += std::popcount(words[e.word] & e.mask) * int64_t{e.difference};
    }
    synops += static_cast<uint64_t>(columns) * fan_out.row_readers[row] * fan_out.target_channels;
  }
  return synops;
}

void CountSpikesTarget(SpikeFrame& spikes) {
  const uint64_t* words = spikes.words.data();
  for (uint32_t& count : spikes.counts) {
    int sum = 0;
    for (size_t w = 0; w < spikes.words_per_row; ++w) sum += std::popcount(*words++);
    count = static_cast<uint32_t>(sum);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(CountSynopsTarget);
HWY_EXPORT(CountSpikesTarget);

uint64_t CountSynops(const FanOut& fan_out, const SpikeFrame& frame, size_t first, size_t last) {
  return HWY_DYNAMIC_DISPATCH(CountSynopsTarget)(fan_out, frame, first, last);
}

void CountSpikes(SpikeFrame& spikes) { HWY_DYNAMIC_DISPATCH(CountSpikesTarget)(spikes); }

void SetColumns(const std::vector<int32_t>& columns_reached, FanOut& fan_out) {
  std::map<int32_t, size_t> frequency;
  for (const int32_t reached : columns_reached) ++frequency[reached];
  CSSRUN_ASSERT(!columns_reached.empty() && columns_reached.size() % kLineLanes == 0);
  const auto usual =
      std::max_element(frequency.begin(), frequency.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  fan_out.usual_columns = static_cast<uint32_t>(usual->first);
  for (uint32_t word = 0; word < columns_reached.size() / kLineLanes; ++word) {
    std::map<int32_t, uint64_t> masks;
    for (uint32_t bit = 0; bit < kLineLanes; ++bit) {
      const int32_t difference = columns_reached[word * kLineLanes + bit] - usual->first;
      masks[difference] |= (uint64_t{1} << bit) | (uint64_t{1} << (kLineLanes + bit));
    }
    for (const auto& [difference, mask] : masks) {
      if (difference != 0) fan_out.exceptions.push_back({word, difference, mask});
    }
  }
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
