// Whether pixels are what a network takes; the messages are for people.
#ifndef CSSRUN_RUNTIME_ENGINE_CHECK_PIXELS_H_
#define CSSRUN_RUNTIME_ENGINE_CHECK_PIXELS_H_

#include <cstdint>
#include <span>

#include "cssrun/network.h"
#include "cssrun/status.h"

namespace cssrun::internal {

Status CheckPixels(const Network& network, std::span<const uint8_t> pixels);
Status CheckPixels(const Network& network, std::span<const float> pixels);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_CHECK_PIXELS_H_
