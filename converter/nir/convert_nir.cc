#include "converter/nir/convert_nir.h"

#include <memory>
#include <utility>

#include "converter/nir/lower_nir.h"
#include "converter/nir/nir_reader.h"
#include "converter/nir/read_apart.h"
#include "converter/sha256.h"
#include "converter/window.h"
#include "cssrun/version.h"
#include "fmt/format.h"
#include "format/geometry.h"
#include "format/network_file.h"

namespace cssrun::converter {
namespace {

Status Named(const std::string& path, const Status& status) {
  return {status.code(), path + ": " + status.message()};
}

// Multiply-accumulates of a dense run of one step. Taps in the padding do not count.
uint64_t MacsPerStep(const format::EventNetworkT& network) {
  uint64_t macs = 0;
  for (const auto& node : network.nodes) {
    for (const auto& synapses : node->synapses) {
      const format::Extent& source = *network.nodes[synapses->source]->extent;
      const format::Window* pool = synapses->pool.get();
      const int64_t height =
          pool == nullptr ? source.height() : format::WindowRows(*pool, source.height());
      const int64_t width =
          pool == nullptr ? source.width() : format::WindowColumns(*pool, source.width());
      macs += ExistingReads(RowsOf(*synapses->window), height, node->extent->height()) *
              ExistingReads(ColumnsOf(*synapses->window), width, node->extent->width()) *
              node->extent->channels() * (source.channels() / synapses->groups);
    }
  }
  return macs;
}

std::string Describe(const format::EventNetworkT& network) {
  std::string text;
  for (const auto& node : network.nodes) {
    const format::Extent& e = *node->extent;
    text +=
        fmt::format("{}: {}x{}x{} {}\n", node->name, e.channels(), e.height(), e.width(),
                    &node == &network.nodes.front()                 ? "inputs"
                    : node->sending == format::EventSending::Spikes ? "spiking neurons"
                    : node->sending == format::EventSending::Values ? "values that are passed on"
                                                                    : "potentials that are read");
  }
  text += "Read as follows, since the file does not say:\n";
  for (const std::string& assumption : network.assumptions) text += "  " + assumption + "\n";
  return text;
}

}  // namespace

Result<NirConversion> ConvertNir(std::span<const uint8_t> bytes, const std::string& path,
                                 const NirOptions& options, const std::vector<std::string>& labels,
                                 const NetworkLimits& limits) {
  const Result<Hdf5Group> root = ReadHdf5Apart(bytes);
  if (!root.ok()) return Named(path, root.status());
  return ConvertNirTree(root.value(), Sha256(bytes), path, options, labels, limits);
}

Result<NirConversion> ConvertNirTree(const Hdf5Group& root, const std::string& sha256,
                                     const std::string& path, const NirOptions& options,
                                     const std::vector<std::string>& labels,
                                     const NetworkLimits& limits) {
  const Result<NirGraph> graph = ReadNir(root);
  if (!graph.ok()) return Named(path, graph.status());
  const Result<NirReading> reading = ChooseReading(graph.value(), options);
  if (!reading.ok()) return reading.status();
  Result<std::unique_ptr<format::EventNetworkT>> events =
      LowerNir(graph.value(), reading.value(), limits);
  if (!events.ok()) return Named(path, events.status());
  NirConversion conversion;
  conversion.report = Describe(*events.value());
  const uint64_t macs = MacsPerStep(*events.value());
  format::NetworkT network = format::MakeEventFile(std::move(events).value());
  network.labels = labels;
  network.macs_per_image = macs;
  network.origin->model_file = path.substr(path.rfind('/') + 1);
  network.origin->model_sha256 = sha256;
  network.origin->converter_version = Version();
  conversion.bytes = format::SerializeNetwork(network);
  const Result<format::NetworkFile> checked = format::NetworkFile::FromBytes(
      {conversion.bytes.data(), conversion.bytes.size()}, path, limits);
  if (!checked.ok()) return checked.status();
  return conversion;
}

}  // namespace cssrun::converter
