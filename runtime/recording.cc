#include "runtime/recording.h"

#include <algorithm>
#include <string>

#include "format/geometry.h"

namespace cssrun::internal {

void ClearRecordings(const ExecutionNetwork& network, const SessionOptions& options,
                     Answer& answer) {
  answer.recordings.resize(options.record.size());
  for (size_t i = 0; i < options.record.size(); ++i) {
    const RecordRequest& request = options.record[i];
    const Layer& layer = network.layers[request.layer];
    const size_t neurons = Neurons(layer.extent);
    const bool codes_pixels =
        layer.kind != format::NodeKind::Encoder || !network.direct_input.has_value();
    const bool spikes = request.spikes && layer.kind != format::NodeKind::Readout && codes_pixels;
    const bool settled =
        network.integers != nullptr && network.integers->layers[request.layer].settled() != nullptr;
    const bool membranes = request.membranes && layer.kind == format::NodeKind::Neurons && !settled;
    Recording& recording = answer.recordings[i];
    recording.spikes.assign(spikes ? neurons * network.timesteps : 0, 0);
    recording.membranes.assign(membranes ? neurons * (network.timesteps + network.silent_steps) : 0,
                               0.0F);
  }
}

bool RecordsMembranes(const SessionOptions& options) {
  return std::ranges::any_of(options.record, &RecordRequest::membranes);
}

Status CheckRecordRequests(const ExecutionNetwork& network, const SessionOptions& options) {
  for (const RecordRequest& request : options.record) {
    if (request.layer >= network.layers.size()) {
      return Status::InvalidArgument("a recording of layer " + std::to_string(request.layer) +
                                     "; the network has " + std::to_string(network.layers.size()));
    }
  }
  return Status::Ok();
}

}  // namespace cssrun::internal
