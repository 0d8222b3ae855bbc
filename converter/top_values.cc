#include "converter/top_values.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace cssrun::converter {

TopValues::TopValues(uint64_t count, double share)
    : count_(count),
      position_(share * static_cast<double>(count - 1)),
      kept_(static_cast<size_t>(count - static_cast<uint64_t>(std::floor(position_)))) {}

void TopValues::Add(std::span<const float> values) {
  for (const float value : values) {
    const float magnitude = std::abs(value);
    maximum_ = std::max(maximum_, magnitude);
    if (magnitude > floor_) values_.push_back(magnitude);
  }
  // Pruning at twice the size costs a constant per value.
  if (values_.size() > 2 * kept_) Prune();
}

void TopValues::Prune() {
  const auto last = values_.begin() + static_cast<std::ptrdiff_t>(kept_) - 1;
  std::nth_element(values_.begin(), last, values_.end(), std::greater<>());
  // Values equal to the smallest kept one need not be stored: Quantile() fills up with the floor.
  floor_ = *last;
  values_.resize(kept_);
}

double TopValues::Quantile() {
  std::sort(values_.begin(), values_.end(), std::greater<>());
  const auto at = [&](uint64_t rank) {  // among all values, ascending
    const uint64_t from_top = count_ - 1 - rank;
    const bool kept = from_top < values_.size();
    return static_cast<double>(kept ? values_[static_cast<size_t>(from_top)] : floor_);
  };
  const auto below = static_cast<uint64_t>(std::floor(position_));
  const uint64_t above = std::min(below + 1, count_ - 1);
  return at(below) + (at(above) - at(below)) * (position_ - static_cast<double>(below));
}

double TopValues::ShareAbove(double limit) const {
  const auto above = std::count_if(values_.begin(), values_.end(),
                                   [&](float value) { return static_cast<double>(value) > limit; });
  return static_cast<double>(above) / static_cast<double>(count_);
}

}  // namespace cssrun::converter
