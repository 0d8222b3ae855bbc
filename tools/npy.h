// Reads arrays that NumPy wrote.
#ifndef CSSRUN_TOOLS_NPY_H_
#define CSSRUN_TOOLS_NPY_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cssrun/status.h"

namespace cssrun::tools {

// Returns the numbers of an array of float32 or float64 of any shape, in C order. Error:
// kInvalidArgument that says what is wrong, and how to write it in Python.
Result<std::vector<float>> ParseNpy(std::span<const uint8_t> bytes);

// The same from a file. Errors: kIo, kInvalidArgument; the message begins with `path`.
Result<std::vector<float>> ReadNpy(const std::string& path);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_NPY_H_
