// The images that a network takes, from its file and into it.
#ifndef CSSRUN_RUNTIME_NETWORK_INPUT_FORMAT_H_
#define CSSRUN_RUNTIME_NETWORK_INPUT_FORMAT_H_

#include <memory>

#include "cssrun/preprocess.h"
#include "network_generated.h"

namespace cssrun::internal {

InputFormat UnpackInput(const format::Preprocessing& packed, const format::Extent& image);

// Files of older versions had a shorter side alone; what they could say is still said as they did.
std::unique_ptr<format::PreprocessingT> PackInput(const InputFormat& input);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NETWORK_INPUT_FORMAT_H_
