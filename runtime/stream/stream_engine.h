// Runs a frame after the one before: what cssrun/stream.h promises.
#ifndef CSSRUN_RUNTIME_STREAM_STREAM_ENGINE_H_
#define CSSRUN_RUNTIME_STREAM_STREAM_ENGINE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "cssrun/stream.h"
#include "runtime/engine/input.h"
#include "runtime/integer/integer_engine.h"
#include "runtime/network/loaded_network.h"
#include "runtime/stream/kept_picture.h"

namespace cssrun::internal {

class StreamEngine {
 public:
  // `network` passes CheckStream() and outlives this. Throws std::bad_alloc.
  StreamEngine(const LoadedNetwork& network, const StreamOptions& options);

  // The frame has the network's size. Errors: kCancelled. Throws std::bad_alloc. After either the
  // caller calls Reset().
  Status Next(const Input& frame, StreamAnswer& answer);
  // The addresses are in range.
  Status Next(std::span<const ChangedPixel> changes, StreamAnswer& answer);
  void Reset() { picture_.Reset(); }
  bool empty() const { return picture_.empty(); }

 private:
  Status RunFrame(bool first, StreamAnswer& answer);

  const LoadedNetwork& network_;
  const StreamOptions options_;
  KeptPicture picture_;
  IntegerEngine engine_;
  Answer whole_;
  uint64_t frame_ = 0;
};

// Whether a stream can run the network, and if not, why and what to do about it.
Status CheckStream(const LoadedNetwork& network);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_STREAM_ENGINE_H_
