// Runs the ANN over a set of images.
#ifndef CSSRUN_CONVERTER_ANN_RUN_H_
#define CSSRUN_CONVERTER_ANN_RUN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "converter/graph.h"
#include "cssrun/network.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Images as the runtime takes them: 8-bit, interleaved, already of the network's size.
struct ImageSet {
  std::vector<std::vector<uint8_t>> pixels;
  std::vector<int> truth;  // class of each image, -1 where unknown
  // By class: the first class of the same name, which grades images of that name; empty if all
  // names differ.
  std::vector<size_t> first_of_name = {};

  bool IsRight(size_t image, size_t answer) const {
    const auto first = [&](size_t c) { return c < first_of_name.size() ? first_of_name[c] : c; };
    return first(answer) == first(static_cast<size_t>(truth[image]));
  }
};

using Logits = std::vector<float>;  // of one image

// Called with the number of images done and of all images.
using Progress = std::function<void(size_t done, size_t total)>;
// Called for each watched value of each batch, with the activations of the batch's images one after
// another.
using ObserveActivations = std::function<void(ValueId value, std::span<const float> activations)>;

// Returns the ANN's logits on every image.
Result<std::vector<Logits>> RunAnn(const Graph& graph, const ImageSet& images,
                                   const InputFormat& input, std::span<const ValueId> watch,
                                   const ObserveActivations& observe, const Progress& progress);

// Error: kBadModel if a logit is not finite.
Status CheckAnswers(const Graph& graph, const std::vector<Logits>& answers);

// Computes (pixel / 255 - mean) / stddev, as [channel][row][column].
void NormalizePixels(std::span<const uint8_t> pixels, const InputFormat& input,
                     std::span<float> normalized);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_ANN_RUN_H_
