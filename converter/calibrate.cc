#include "converter/calibrate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "converter/top_values.h"
#include "format/geometry.h"

namespace cssrun::converter {
namespace {

Result<ActivationRange> RangeOf(const SpikingNode& node, TopValues& top) {
  ActivationRange range;
  range.percentile = top.Quantile();
  range.maximum = top.Maximum();
  // A layer with only a few activations other than zero still needs an amplitude.
  if (range.percentile == 0) range.percentile = range.maximum;
  range.clipped_share = top.ShareAbove(range.percentile);
  // Where one half of a value is never seen, any amplitude does.
  if (range.maximum == 0 && node.half) range.percentile = range.maximum = 1;
  if (range.percentile > 0 && std::isfinite(range.maximum)) return range;
  return Status::BadModel("node " + node.name + ": its activations are " +
                          (range.maximum == 0 ? "zero" : "not finite") +
                          " on every calibration image; check --mean and --std, or remove the "
                          "layer");
}

void AddSides(std::span<const float> activations, std::vector<float>& side,
              std::array<ActivationHistogram, 2>& sides) {
  side.resize(activations.size());
  for (const float sign : {-1.0F, 1.0F}) {
    std::ranges::transform(activations, side.begin(),
                           [sign](float value) { return std::max(value * sign, 0.0F); });
    sides[sign > 0].Add(side);
  }
}

// The mean of each channel of the normalized pixels.
std::vector<double> PixelMeans(const ImageSet& images, const InputFormat& input) {
  std::vector<double> bytes(input.channels, 0);
  double positions = 0;  // of all images
  for (const std::vector<uint8_t>& pixels : images.pixels) {
    for (size_t i = 0; i < pixels.size(); ++i) bytes[i % bytes.size()] += pixels[i];
    positions += static_cast<double>(pixels.size() / bytes.size());
  }
  std::vector<double> means;
  for (size_t c = 0; c < bytes.size(); ++c) {
    means.push_back((bytes[c] / positions / 255.0 - static_cast<double>(input.mean[c])) /
                    static_cast<double>(input.stddev[c]));
  }
  return means;
}

}  // namespace

Result<Calibration> Calibrate(const Graph& graph, const SpikingNetwork& network,
                              const ImageSet& images, const InputFormat& input, double percentile,
                              bool per_channel, const Progress& progress) {
  const size_t count = images.pixels.size();
  std::vector<ValueId> watched;
  std::vector<size_t> node_of(graph.values.size(), 0);
  std::vector<TopValues> tops;
  Calibration calibration;
  calibration.histograms.resize(network.nodes.size());
  calibration.sides.resize(network.nodes.size());
  calibration.channels.resize(network.nodes.size());
  calibration.means.resize(network.nodes.size());
  calibration.means.front() = PixelMeans(images, input);
  std::vector<float> side;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const SpikingNode& node = network.nodes[i];
    tops.emplace_back(Neurons(node.extent) * count, percentile / 100);
    if (node.kind != format::NodeKind::Neurons) continue;
    watched.push_back(node.value);
    node_of[static_cast<size_t>(node.value)] = i;
    calibration.means[i].resize(node.extent.channels());
    if (per_channel) calibration.channels[i].resize(node.extent.channels());
  }
  const auto observe = [&](ValueId value, std::span<const float> activations) {
    const size_t node = node_of[static_cast<size_t>(value)];
    tops[node].Add(activations);
    calibration.histograms[node].Add(activations);
    if (!network.nodes[node].rectify) AddSides(activations, side, calibration.sides[node]);
    const size_t map = Positions(network.nodes[node].extent);
    std::vector<double>& means = calibration.means[node];
    std::vector<ActivationHistogram>& channels = calibration.channels[node];
    for (size_t first = 0; first < activations.size(); first += map) {
      const std::span<const float> of_channel = activations.subspan(first, map);
      const size_t channel = first / map % means.size();
      means[channel] += std::accumulate(of_channel.begin(), of_channel.end(), 0.0) /
                        (static_cast<double>(map) * static_cast<double>(count));
      if (per_channel) channels[channel].Add(of_channel);
    }
  };
  Result<std::vector<Logits>> logits = RunAnn(graph, images, input, watched, observe, progress);
  if (!logits.ok()) return logits.status();

  calibration.logits = std::move(logits).value();
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    if (network.nodes[i].kind != format::NodeKind::Neurons) {
      calibration.ranges.emplace_back();
      continue;
    }
    Result<ActivationRange> range = RangeOf(network.nodes[i], tops[i]);
    if (!range.ok()) return range.status();
    calibration.ranges.push_back(range.value());
  }
  if (Status status = CheckAnswers(graph, calibration.logits); !status.ok()) return status;
  return calibration;
}

}  // namespace cssrun::converter
