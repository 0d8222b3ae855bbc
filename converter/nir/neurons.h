// The parameters of a NIR node's neurons, as the steps of an event network have them.
#ifndef CSSRUN_CONVERTER_NIR_NEURONS_H_
#define CSSRUN_CONVERTER_NIR_NEURONS_H_

#include <optional>
#include <string>
#include <vector>

#include "converter/nir/nir_graph.h"
#include "converter/nir/reading.h"
#include "network_generated.h"

namespace cssrun::converter {

// Why a node cannot be converted, and what to do about it.
struct NirProblem {
  std::string reason;
  std::string remedy;
};

// IF, LIF, LI, I, CubaLIF, CubaLI, Threshold.
bool HasNeurons(const std::string& type);

// The shape that the node's own parameters have; nothing if they are single numbers, or if it is
// none of neurons.
std::optional<format::Extent> OwnExtent(const NirNode& node);

// Fills in the parameters of `to`, whose extent and bias (one number, one per channel or one per
// neuron) are known. Returns what is wrong.
std::optional<NirProblem> SetNeurons(const NirNode& node, const NirReading& reading,
                                     const std::vector<double>& bias, format::EventNodeT& to);

// One number if all are equal, one per channel if those of each channel are; else as they are.
std::vector<double> Compressed(std::vector<double> numbers, const format::Extent& extent);

// The extent of a shape without the batch: [n], [channels, length] or [channels, height, width].
std::optional<format::Extent> NirExtentOf(const std::vector<int64_t>& shape);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_NEURONS_H_
