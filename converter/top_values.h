// Computes an exact upper quantile of a stream in memory for the values above it only.
//
// The activations of a layer over all calibration images are too many to keep (a VGG-16 layer has 3
// million an image), but a 99.99th percentile needs only the largest 0.01 %.
#ifndef CSSRUN_CONVERTER_TOP_VALUES_H_
#define CSSRUN_CONVERTER_TOP_VALUES_H_

#include <cstdint>
#include <span>
#include <vector>

namespace cssrun::converter {

class TopValues {
 public:
  // Prepares for the quantile `share` (0..1) of a stream of `count` values.
  TopValues(uint64_t count, double share);

  // Adds the absolute values of `values`.
  void Add(std::span<const float> values);

  // Call these after all values were added. The quantile interpolates linearly between its two
  // neighbours, as NumPy's does.
  double Quantile();
  double Maximum() const { return maximum_; }
  // Returns the share of all values above `limit`. It is exact for a limit that is not below the
  // quantile.
  double ShareAbove(double limit) const;

 private:
  void Prune();

  uint64_t count_;
  double position_;   // of the quantile among the sorted values
  size_t kept_;       // number of the largest values that decide it
  float floor_ = -1;  // values at or below it cannot be among these
  float maximum_ = 0;
  std::vector<float> values_;
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_TOP_VALUES_H_
