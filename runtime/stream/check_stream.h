// Which networks a stream can run.
#ifndef CSSRUN_RUNTIME_STREAM_CHECK_STREAM_H_
#define CSSRUN_RUNTIME_STREAM_CHECK_STREAM_H_

#include "cssrun/status.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Whether a stream can run the network, and if not, why and what to do about it.
Status CheckStream(const LoadedNetwork& network);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_CHECK_STREAM_H_
