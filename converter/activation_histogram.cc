#include "converter/activation_histogram.h"

#include <algorithm>
#include <cmath>

namespace cssrun::converter {

void ActivationHistogram::Add(std::span<const float> values) {
  bins_.resize(kBins, 0);
  count_ += values.size();
  float largest = 0;
  for (const float value : values) {
    const float magnitude = std::abs(value);
    if (std::isfinite(magnitude)) largest = std::max(largest, magnitude);
  }
  maximum_ = std::max(maximum_, largest);
  // Ranges are powers of two, so that bins do not depend on the order in which values came.
  if (range_ == 0 && largest > 0) {
    range_ = std::exp2(std::floor(std::log2(static_cast<double>(largest))) + 1);
  }
  while (range_ <= static_cast<double>(largest) && range_ > 0) {
    for (size_t i = 0; i < kBins / 2; ++i) bins_[i] = bins_[2 * i] + bins_[2 * i + 1];
    std::fill(bins_.begin() + kBins / 2, bins_.end(), 0U);
    range_ *= 2;
  }
  // The inverse of a range below 2^-118 would overflow a float.
  const double scale = range_ > 0 ? static_cast<double>(kBins) / range_ : 0;
  for (const float value : values) {
    const float magnitude = std::abs(value);
    if (!(magnitude > 0) || !std::isfinite(magnitude)) {
      ++zeros_;
    } else {
      ++bins_[std::min(static_cast<size_t>(static_cast<double>(magnitude) * scale), kBins - 1)];
    }
  }
}

double ActivationHistogram::Quantile(double share) const {
  const double wanted = share * static_cast<double>(count_);
  auto below = static_cast<double>(zeros_);
  if (below >= wanted) return 0;
  for (size_t i = 0; i < bins_.size(); ++i) {
    const double here = bins_[i];
    if (here > 0 && below + here >= wanted) {
      const double inside = (wanted - below) / here;
      return std::min(static_cast<double>(maximum_),
                      (static_cast<double>(i) + inside) * BinWidth());
    }
    below += here;
  }
  return maximum_;
}

double ActivationHistogram::Loss(double amplitude, double largest) const {
  double loss = 0;
  const double width = BinWidth();
  for (size_t i = 0; i < bins_.size(); ++i) {
    if (bins_[i] == 0) continue;
    const double value = (static_cast<double>(i) + 0.5) * width;
    double square = amplitude * amplitude / 12;  // the mean between two multiples
    if (value > largest + amplitude / 2) {
      square = (value - largest) * (value - largest);
    } else if (value < amplitude / 2) {
      square = value * value;
    } else if (width < amplitude / 8) {
      const double rest = value - std::min(largest, amplitude * std::round(value / amplitude));
      square = rest * rest;
    }
    loss += square * bins_[i];
  }
  return count_ == 0 ? 0 : loss / static_cast<double>(count_);
}

}  // namespace cssrun::converter
