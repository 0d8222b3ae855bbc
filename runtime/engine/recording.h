// What an answer records of chosen layers (SessionOptions::record).
#ifndef CSSRUN_RUNTIME_ENGINE_RECORDING_H_
#define CSSRUN_RUNTIME_ENGINE_RECORDING_H_

#include "cssrun/session.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Gives the answer's recordings their sizes and fills them with 0. Allocates only where they were
// smaller.
void ClearRecordings(const LoadedNetwork& network, const SessionOptions& options, Answer& answer);

bool RecordsMembranes(const SessionOptions& options);

// That every request names a layer.
Status CheckRecordRequests(const LoadedNetwork& network, const SessionOptions& options);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_RECORDING_H_
