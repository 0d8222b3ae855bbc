#include "cssrun/session.h"

#include <string>
#include <utility>

#include "runtime/engine.h"

namespace cssrun {

Session::Session(std::shared_ptr<const Network> network, const SessionOptions& options)
    : network_(std::move(network)),
      engine_(std::make_unique<internal::Engine>(network_->execution(), options.profile)) {}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

Status Session::Run(std::span<const uint8_t> pixels, Answer& answer) {
  const InputFormat& input = network_->input();
  const size_t expected = size_t{input.channels} * input.height * input.width;
  if (pixels.size() != expected) {
    return Status::InvalidArgument("an image of " + std::to_string(pixels.size()) +
                                   " bytes; the network takes " + std::to_string(expected));
  }
  engine_->Run(pixels, answer);
  return Status::Ok();
}

}  // namespace cssrun
