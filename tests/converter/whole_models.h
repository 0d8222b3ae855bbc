// Small models with all that a conversion needs, and images for them.
#ifndef CSSRUN_TESTS_CONVERTER_WHOLE_MODELS_H_
#define CSSRUN_TESTS_CONVERTER_WHOLE_MODELS_H_

#include <cstddef>
#include <cstdint>

#include "converter/convert.h"

namespace cssrun::converter::testing {

// The model of a graph with one image and one vector of logits. A failure fails the test.
Model ModelOf(Graph graph);

// Images of blobs, so that classes differ.
ImageSet Images(const Model& model, size_t count, uint32_t seed);

// A mean of many positions before a hidden layer: weights divided by their number.
Graph HiddenLayerBehindMean(int64_t side);

// One thread, the code that `search` finds; nothing: the default settings.
ConvertOptions OptionsOf(const std::optional<CodeSearch>& search);

// A conversion with 60 images. A failure fails the test.
Conversion Converted(const Model& model, const ConvertOptions& options);

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_WHOLE_MODELS_H_
