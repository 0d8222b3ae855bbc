// Room in an answer for the spikes and membranes that SessionOptions::record asks for.
#ifndef CSSRUN_RUNTIME_ENGINE_RECORDING_H_
#define CSSRUN_RUNTIME_ENGINE_RECORDING_H_

#include "cssrun/session.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Gives each recording of the answer its size, T or T + L times the layer's neurons, and fills it
// with 0; it stays empty where nothing was asked for or the layer has none. Every request must name
// a layer. Allocates only where the recordings were smaller.
void ClearRecordings(const LoadedNetwork& network, const SessionOptions& options, Answer& answer);

// Whether any request asks for membranes.
bool RecordsMembranes(const SessionOptions& options);

// kInvalidArgument unless every request names a layer of the network.
Status CheckRecordRequests(const LoadedNetwork& network, const SessionOptions& options);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_RECORDING_H_
