#include "cssrun/session.h"

#include <string>
#include <utility>

#include "runtime/float/float_engine.h"
#include "runtime/integer/integer_engine.h"

namespace cssrun {

Session::Session(std::shared_ptr<const Network> network, const SessionOptions& options)
    : network_(std::move(network)) {
  const internal::ExecutionNetwork& execution = network_->execution();
  if (execution.integers != nullptr) {
    integer_engine_ = std::make_unique<internal::IntegerEngine>(execution, options);
  } else {
    float_engine_ = std::make_unique<internal::FloatEngine>(execution, options);
  }
}

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
  if (integer_engine_ != nullptr) {
    integer_engine_->Run(pixels, answer);
  } else {
    float_engine_->Run(pixels, answer);
  }
  return Status::Ok();
}

}  // namespace cssrun
