#include "converter/nir/convert_nir.h"

#include <memory>
#include <utility>

#include "converter/nir/lower_nir.h"
#include "converter/nir/nir_reader.h"
#include "converter/sha256.h"
#include "cssrun/version.h"
#include "fmt/format.h"
#include "format/geometry.h"
#include "format/network_file.h"

namespace cssrun::converter {
namespace {

Status Named(const std::string& path, const Status& status) {
  return {status.code(), path + ": " + status.message()};
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
  const Result<NirGraph> graph = ReadNir(bytes);
  if (!graph.ok()) return Named(path, graph.status());
  const Result<NirReading> reading = ChooseReading(graph.value(), options);
  if (!reading.ok()) return reading.status();
  Result<std::unique_ptr<format::EventNetworkT>> events =
      LowerNir(graph.value(), reading.value(), limits);
  if (!events.ok()) return Named(path, events.status());
  NirConversion conversion;
  conversion.report = Describe(*events.value());
  format::NetworkT network = format::MakeEventFile(std::move(events).value());
  network.labels = labels;
  network.origin->model_file = path.substr(path.rfind('/') + 1);
  network.origin->model_sha256 = Sha256(bytes);
  network.origin->converter_version = Version();
  conversion.bytes = format::SerializeNetwork(network);
  const Result<format::NetworkFile> checked = format::NetworkFile::FromBytes(
      {conversion.bytes.data(), conversion.bytes.size()}, path, limits);
  if (!checked.ok()) return checked.status();
  return conversion;
}

}  // namespace cssrun::converter
