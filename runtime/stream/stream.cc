#include "cssrun/stream.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "runtime/engine/check_pixels.h"
#include "runtime/engine/input.h"
#include "runtime/network/network_access.h"
#include "runtime/stream/check_stream.h"
#include "runtime/stream/stream_engine.h"
#include "runtime/within_memory.h"

namespace cssrun {
namespace {

constexpr unsigned kMostHold = 255;
constexpr double kWidestDeadZone = 255;

Status CheckOptions(const StreamOptions& options) {
  if (options.hold > kMostHold) {
    return Status::InvalidArgument("hold " + std::to_string(options.hold) +
                                   "; pixels are held within 0 to 255");
  }
  if (!(options.dead_zone >= 0 && options.dead_zone <= kWidestDeadZone)) {
    return Status::InvalidArgument("dead zone " + std::to_string(options.dead_zone) +
                                   "; it is 0 to 255 levels wide");
  }
  return Status::Ok();
}

Status CheckAddresses(const Network& network, std::span<const ChangedPixel> changes) {
  const InputFormat& input = network.input();
  const uint64_t numbers = uint64_t{input.channels} * input.height * input.width;
  const auto wrong = std::ranges::find_if(
      changes, [&](const ChangedPixel& change) { return change.address >= numbers; });
  if (wrong == changes.end()) return Status::Ok();
  return Status::InvalidArgument("changed pixel " + std::to_string(wrong - changes.begin()) +
                                 ": address " + std::to_string(wrong->address) +
                                 "; the network has " + std::to_string(numbers) + " inputs");
}

}  // namespace

Stream::Stream(std::unique_ptr<internal::StreamEngine> engine) : engine_(std::move(engine)) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  engine_ = std::move(other.engine_);  // before the network that it uses
  network_ = std::move(other.network_);
  return *this;
}

Result<Stream> Stream::Create(std::shared_ptr<const Network> network,
                              const StreamOptions& options) {
  return internal::WithinMemory([&]() -> Result<Stream> {
    const internal::LoadedNetwork& loaded = internal::Loaded(*network);
    if (Status status = CheckOptions(options); !status.ok()) return status;
    if (Status status = internal::CheckStream(loaded); !status.ok()) return status;
    Stream stream(std::make_unique<internal::StreamEngine>(loaded, options));
    stream.network_ = std::move(network);
    return stream;
  });
}

template <class Run>
Status Stream::RunNext(const Status& checked, const Run& run) {
  Status status = checked.ok() ? internal::WithinMemory(run) : checked;
  if (!status.ok()) engine_->Reset();
  return status;
}

Status Stream::Next(std::span<const uint8_t> pixels, StreamAnswer& answer, PixelOrder order) {
  return RunNext(internal::CheckPixels(*network_, pixels), [&] {
    return engine_->Next({.kind = internal::InputKind::kBytes, .order = order, .bytes = pixels},
                         answer);
  });
}

Status Stream::Next(std::span<const float> pixels, StreamAnswer& answer, PixelOrder order) {
  return RunNext(internal::CheckPixels(*network_, pixels), [&] {
    return engine_->Next({.kind = internal::InputKind::kValues, .order = order, .values = pixels},
                         answer);
  });
}

Status Stream::Next(std::span<const ChangedPixel> changes, StreamAnswer& answer) {
  if (engine_->empty()) {
    return Status::InvalidArgument(
        "changed pixels without a frame before them; give the stream a whole frame first");
  }
  return RunNext(CheckAddresses(*network_, changes),
                 [&] { return engine_->Next(changes, answer); });
}

void Stream::Reset() { engine_->Reset(); }

}  // namespace cssrun
