// Which networks a stream can run.
#ifndef CSSRUN_RUNTIME_STREAM_CHECK_STREAM_H_
#define CSSRUN_RUNTIME_STREAM_CHECK_STREAM_H_

#include "cssrun/status.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Ok if a stream can run the network; otherwise the reason and what to do about it.
Status CheckStream(const LoadedNetwork& network);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_CHECK_STREAM_H_
