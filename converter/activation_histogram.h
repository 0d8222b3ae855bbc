// A histogram of the magnitudes of a layer's or channel's activations, in bounded memory. It
// estimates the error that an amplitude would cause. The range doubles when a larger value arrives,
// so one pass suffices.
#ifndef CSSRUN_CONVERTER_ACTIVATION_HISTOGRAM_H_
#define CSSRUN_CONVERTER_ACTIVATION_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cssrun::converter {

class ActivationHistogram {
 public:
  // A channel takes 4 bytes a bin. At most half of the bins lie above the maximum.
  static constexpr size_t kBins = 1024;

  // Adds the absolute values of `values`; those that are not finite count as zero.
  void Add(std::span<const float> values);

  double Maximum() const { return maximum_; }
  // Returns the quantile `share` (0..1), accurate to the width of a bin.
  double Quantile(double share) const;

  // Returns the mean square error of rounding values to multiples of `amplitude` and clipping them
  // at `largest`.
  double Loss(double amplitude, double largest) const;

 private:
  double BinWidth() const { return range_ / static_cast<double>(kBins); }

  double range_ = 0;
  float maximum_ = 0;
  uint64_t count_ = 0;
  uint64_t zeros_ = 0;
  std::vector<uint32_t> bins_;
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_ACTIVATION_HISTOGRAM_H_
