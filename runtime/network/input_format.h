// Reads from a network's file which images it takes, and writes it there.
#ifndef CSSRUN_RUNTIME_NETWORK_INPUT_FORMAT_H_
#define CSSRUN_RUNTIME_NETWORK_INPUT_FORMAT_H_

#include <memory>

#include "cssrun/preprocess.h"
#include "network_generated.h"

namespace cssrun::internal {

InputFormat UnpackInput(const format::Preprocessing& packed, const format::Extent& image);

// Older files had only a shorter side; what they could say is still written that way.
std::unique_ptr<format::PreprocessingT> PackInput(const InputFormat& input);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NETWORK_INPUT_FORMAT_H_
