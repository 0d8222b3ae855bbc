#include "converter/layer_errors.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "converter/own_network.h"
#include "cssrun/session.h"
#include "format/geometry.h"

namespace cssrun::converter {
namespace {

// Bytes of recordings that are kept at a time: of large networks, of few images. One image has so
// many neurons that more change little.
constexpr size_t kMostRecorded = 100'000'000;
constexpr size_t kMostImages = 16;

struct SquareSums {
  double error = 0;
  double norm = 0;
};

// Adds one image of one layer.
void AddImage(const SpikingNode& node, const NodeCode& node_code, const CodeSettings& code,
              std::span<const int8_t> spikes, std::span<const float> activations,
              SquareSums& sums) {
  const size_t positions = Positions(node.extent);
  const size_t neurons = activations.size();
  for (size_t i = 0; i < neurons; ++i) {
    double train = 0;
    for (size_t k = 0; k < code.timesteps; ++k) {
      train = train * static_cast<double>(code.beta) + spikes[k * neurons + i];
    }
    const auto exact = static_cast<double>(activations[i]);
    const double difference = train * node_code.AmplitudeOf(i / positions) - exact;
    sums.error += difference * difference;
    sums.norm += exact * exact;
  }
}

// The first images, as many as fit.
ImageSet FirstImages(const SpikingNetwork& network, const CodeSettings& code,
                     const ImageSet& images) {
  size_t recorded = 0;
  for (const SpikingNode& node : network.nodes) {
    recorded += Neurons(node.extent) * code.timesteps;
  }
  const size_t count =
      std::min({images.pixels.size(), kMostImages, std::max<size_t>(1, kMostRecorded / recorded)});
  ImageSet first;
  first.pixels.assign(images.pixels.begin(),
                      images.pixels.begin() + static_cast<std::ptrdiff_t>(count));
  first.truth.assign(images.truth.begin(),
                     images.truth.begin() + static_cast<std::ptrdiff_t>(count));
  return first;
}

}  // namespace

Result<std::vector<double>> LayerErrors(const Graph& graph, const SpikingNetwork& network,
                                        const std::vector<NodeCode>& codes,
                                        const CodeSettings& code, std::span<const uint8_t> bytes,
                                        const ImageSet& images, const InputFormat& input,
                                        EngineKind engine) {
  Result<std::shared_ptr<const Network>> loaded =
      Network::FromBytes(bytes, "converted network", OwnNetwork(engine));
  if (!loaded.ok()) return loaded.status();
  const ImageSet first = FirstImages(network, code, images);
  SessionOptions options;
  std::vector<ValueId> watched;
  std::vector<size_t> node_of(graph.values.size(), 0);
  std::vector<size_t> request_of(network.nodes.size(), 0);
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    if (network.nodes[i].kind != format::NodeKind::Neurons) continue;
    node_of[static_cast<size_t>(network.nodes[i].value)] = i;
    request_of[i] = options.record.size();
    options.record.push_back({.layer = i, .spikes = true, .membranes = false});
    watched.push_back(network.nodes[i].value);
  }
  Session session(loaded.value(), options);
  std::vector<Answer> answers(first.pixels.size());
  for (size_t i = 0; i < answers.size(); ++i) {
    if (Status status = session.Run(first.pixels[i], answers[i]); !status.ok()) return status;
  }
  std::vector<SquareSums> sums(network.nodes.size());
  std::vector<size_t> images_done(network.nodes.size(), 0);
  const auto observe = [&](ValueId value, std::span<const float> activations) {
    const size_t i = node_of[static_cast<size_t>(value)];
    const SpikingNode& node = network.nodes[i];
    const size_t neurons = Neurons(node.extent);
    for (size_t at = 0; at < activations.size(); at += neurons) {
      const Answer& answer = answers[images_done[i]++];
      AddImage(node, codes[i], code, answer.recordings[request_of[i]].spikes,
               activations.subspan(at, neurons), sums[i]);
    }
  };
  Result<std::vector<Logits>> logits =
      RunAnn(graph, first, input, watched, observe, [](size_t, size_t) {});
  if (!logits.ok()) return logits.status();
  std::vector<double> errors;
  for (const SquareSums& sum : sums) {
    errors.push_back(sum.norm > 0 ? std::sqrt(sum.error / sum.norm) : 0);
  }
  return errors;
}

}  // namespace cssrun::converter
