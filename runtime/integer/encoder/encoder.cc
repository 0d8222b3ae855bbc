#include "runtime/integer/encoder/encoder.h"

#include "runtime/assert.h"
#include "runtime/neuron/pixel_code.h"
#include "runtime/neuron/settled.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/encoder/encoder.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void EncodeRowTarget(const uint16_t* HWY_RESTRICT positive, const uint16_t* HWY_RESTRICT negative,
                     size_t neurons, uint32_t bit, size_t row, SpikeFrame& spikes) {
  CSSRUN_ASSERT(neurons == spikes.words_per_row * kLineLanes && bit < 16);
  const hn::CappedTag<uint16_t, kLineLanes> d;
  const auto wanted = hn::Set(d, static_cast<uint16_t>(1U << bit));
  uint64_t* words = spikes.Row(row);
  for (size_t i = 0; i < neurons; i += hn::Lanes(d)) {
    WriteSpikes(d, hn::TestBit(hn::LoadU(d, positive + i), wanted),
                hn::TestBit(hn::LoadU(d, negative + i), wanted), i, words);
  }
}

// Levels [first, first + Lanes(d)) of a word of each step's spikes.
template <class D>
HWY_INLINE hn::Vec<D> LevelsOfWord(D d, const uint64_t* words, uint32_t timesteps, size_t first) {
  auto level = hn::Zero(d);
  for (uint32_t k = 0; k < timesteps; ++k) {
    const auto unit = hn::Set(d, static_cast<uint8_t>(1U << (timesteps - 1 - k)));
    const auto up = MaskOf(d, static_cast<uint32_t>(words[k]), first);
    const auto down = MaskOf(d, static_cast<uint32_t>(words[k] >> kLineLanes), first);
    level = hn::Add(level, hn::IfThenElseZero(up, unit));
    level = hn::Sub(level, hn::IfThenElseZero(down, unit));
  }
  return level;
}

void FillLevelsTarget(std::span<const SpikeFrame> steps, LevelFrame& frame) {
  const hn::CappedTag<uint8_t, kLineLanes> d;
  const auto timesteps = static_cast<uint32_t>(steps.size());
  CSSRUN_ASSERT(timesteps <= kLongestSettledTrain);
  const size_t words = steps.front().words_per_row;
  const auto zero = hn::Set(d, frame.layout.zero);
  for (size_t row = 0; row < steps.front().rows(); ++row) {
    for (size_t w = 0; w < words; ++w) {
      uint64_t of_steps[kLongestSettledTrain];
      for (uint32_t k = 0; k < timesteps; ++k) of_steps[k] = steps[k].Row(row)[w];
      for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
        const auto levels = hn::Add(LevelsOfWord(d, of_steps, timesteps, i), zero);
        hn::StoreU(levels, d, frame.Row(row) + w * kLineLanes + i);
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(EncodeRowTarget);
HWY_EXPORT(FillLevelsTarget);

EncoderTable MakeEncoderTable(const format::Network& network) {
  EncoderTable table;
  const format::Code& code = *network.code();
  if (code.input() == format::InputCoding::Direct) return table;
  CSSRUN_ASSERT(code.timesteps() <= 64);
  const format::Node& encoder = *network.nodes()->Get(0);
  const format::Preprocessing& preprocessing = *network.preprocessing();
  const double scale = EncoderScale(encoder.amplitude(), code.beta(), code.timesteps());
  for (uint32_t channel = 0; channel < encoder.extent()->channels(); ++channel) {
    for (size_t pixel = 0; pixel < 256; ++pixel) {
      float potential = StartingPotential(pixel, preprocessing.mean()->Get(channel),
                                          preprocessing.stddev()->Get(channel), scale);
      uint64_t positive = 0;
      uint64_t negative = 0;
      for (uint32_t i = 0; i < code.timesteps(); ++i) {
        const int spike = EncodeStep(code.beta(), encoder.thresholds()->Get(i), potential);
        positive |= static_cast<uint64_t>(spike > 0) << i;
        negative |= static_cast<uint64_t>(spike < 0) << i;
      }
      table.positive.push_back(positive);
      table.negative.push_back(negative);
    }
  }
  return table;
}

void EncodeRow(const uint16_t* positive, const uint16_t* negative, size_t neurons, uint32_t bit,
               size_t row, SpikeFrame& spikes) {
  HWY_DYNAMIC_DISPATCH(EncodeRowTarget)(positive, negative, neurons, bit, row, spikes);
}

void FillLevels(std::span<const SpikeFrame> steps, LevelFrame& levels) {
  HWY_DYNAMIC_DISPATCH(FillLevelsTarget)(steps, levels);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
