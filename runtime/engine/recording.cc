#include "runtime/engine/recording.h"

#include <algorithm>
#include <string>

#include "format/geometry.h"
#include "runtime/assert.h"

namespace cssrun::internal {

void ClearRecordings(const LoadedNetwork& network, const SessionOptions& options, Answer& answer) {
  answer.recordings.resize(options.record.size());
  for (size_t i = 0; i < options.record.size(); ++i) {
    const RecordRequest& request = options.record[i];
    CSSRUN_ASSERT(request.layer < network.layers.size());
    const size_t neurons = Neurons(network.layers[request.layer].extent);
    const bool spikes = request.spikes && SendsSpikes(network, request.layer);
    const bool membranes = request.membranes && KeepsMembranes(network, request.layer);
    Recording& recording = answer.recordings[i];
    recording.spikes.assign(spikes ? neurons * network.timesteps : 0, 0);
    recording.membranes.assign(membranes ? neurons * (network.timesteps + network.silent_steps) : 0,
                               0.0F);
  }
}

bool RecordsMembranes(const SessionOptions& options) {
  return std::ranges::any_of(options.record, &RecordRequest::membranes);
}

Status CheckRecordRequests(const LoadedNetwork& network, const SessionOptions& options) {
  for (const RecordRequest& request : options.record) {
    if (request.layer >= network.layers.size()) {
      return Status::InvalidArgument("a recording of layer " + std::to_string(request.layer) +
                                     "; the network has " + std::to_string(network.layers.size()));
    }
  }
  return Status::Ok();
}

}  // namespace cssrun::internal
