#include "tools/report/watch.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <numeric>

#include "runtime/network/network_access.h"

namespace cssrun::tools {
namespace {

// The number of rows in the picture, which all layers share.
constexpr size_t kRows = 90;
constexpr size_t kRowsOfALayer = 10;

Result<size_t> ParseIndex(std::string_view text, size_t end, const std::string& what) {
  size_t index = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool sound = error == std::errc() && rest == text.data() + text.size() && index < end;
  if (sound) return index;
  return Status::InvalidArgument(what + " 0 to " + std::to_string(end - 1));
}

std::vector<float> ThresholdsOf(const Network& network, size_t layer) {
  const internal::LoadedNetwork& loaded = internal::Loaded(network);
  std::vector<float> shares = loaded.layers[layer].thresholds;
  // Recorded membranes are in units of what a spike takes off; thresholds are converted to these
  // units.
  for (float& share : shares) share /= loaded.spike_weight;
  return shares;
}

// Chooses neurons from the one that spikes most to one that spikes least, evenly among those that
// spike at all.
std::vector<size_t> Sample(const std::vector<uint32_t>& counts, size_t rows) {
  std::vector<size_t> order(counts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t neuron) { return counts[neuron] == 0; });
  std::ranges::stable_sort(order, std::greater(), [&](size_t neuron) { return counts[neuron]; });
  if (order.size() <= rows) return order;
  std::vector<size_t> sample;
  for (size_t row = 0; row < rows; ++row) {
    sample.push_back(order[row * (order.size() - 1) / std::max<size_t>(rows - 1, 1)]);
  }
  return sample;
}

WatchedNeuron NeuronOf(const Recording& recording, size_t neuron, size_t neurons) {
  WatchedNeuron watched{neuron, {}, {}};
  for (size_t i = neuron; i < recording.spikes.size(); i += neurons) {
    watched.spikes.push_back(recording.spikes[i]);
  }
  for (size_t i = neuron; i < recording.membranes.size(); i += neurons) {
    watched.membranes.push_back(recording.membranes[i]);
  }
  return watched;
}

}  // namespace

Result<NeuronChoice> ParseNeuron(const Network& network, const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return Status::InvalidArgument(text + ": a neuron is named LAYER:NUMBER, such as 1:0");
  }
  const std::string name = text.substr(0, colon);
  const std::vector<LayerInfo>& layers = network.layers();
  // The readout, which is last, has no spikes.
  const size_t spiking = layers.size() - 1;
  const auto named = std::ranges::find(layers, name, &LayerInfo::name);
  Result<size_t> layer = static_cast<size_t>(named - layers.begin());
  if (layer.value() >= spiking) {
    layer = ParseIndex(name, spiking,
                       text + ": no such spiking layer; name one, or give a number from");
    if (!layer.ok()) return layer.status();
  }
  const Result<size_t> neuron =
      ParseIndex(std::string_view(text).substr(colon + 1), layers[layer.value()].neurons,
                 text + ": no such neuron; that layer has");
  if (!neuron.ok()) return neuron.status();
  return NeuronChoice{layer.value(), neuron.value()};
}

Result<std::vector<WatchedLayer>> WatchNeurons(const std::shared_ptr<const Network>& network,
                                               const SessionOptions& options,
                                               std::span<const uint8_t> pixels,
                                               std::span<const NeuronChoice> chosen) {
  const std::vector<LayerInfo>& layers = network->layers();
  const size_t rows = std::clamp<size_t>(kRows / layers.size(), 1, kRowsOfALayer);
  std::vector<WatchedLayer> watched;
  for (size_t layer = 0; layer + 1 < layers.size(); ++layer) {
    std::vector<size_t> neurons;
    for (const NeuronChoice& choice : chosen) {
      if (choice.layer == layer) neurons.push_back(choice.neuron);
    }
    if (!chosen.empty() && neurons.empty()) continue;
    SessionOptions recording_options = options;
    recording_options.keep_readings = false;
    recording_options.record = {{.layer = layer, .spikes = true, .membranes = true}};
    Result<Session> session = Session::Create(network, recording_options);
    if (!session.ok()) return session.status();
    Answer answer;
    if (Status status = session.value().Run(pixels, answer); !status.ok()) return status;
    const Recording& recording = answer.recordings[0];
    // With direct input the encoder sends no spikes.
    if (recording.spikes.empty()) continue;

    std::vector<uint32_t> counts(layers[layer].neurons);
    for (size_t i = 0; i < recording.spikes.size(); ++i) {
      counts[i % counts.size()] += recording.spikes[i] != 0;
    }
    if (neurons.empty()) neurons = Sample(counts, rows);
    WatchedLayer shown;
    shown.layer = layer;
    shown.active = counts.size() - static_cast<uint64_t>(std::ranges::count(counts, 0U));
    shown.thresholds = ThresholdsOf(*network, layer);
    for (const size_t neuron : neurons) {
      shown.neurons.push_back(NeuronOf(recording, neuron, counts.size()));
    }
    watched.push_back(std::move(shown));
  }
  return watched;
}

}  // namespace cssrun::tools
