// Formats the outputs of a network as numbers: NumPy's .npy, JSON lines and text.
//
// An .npy of one output is a float array [images, ...shape]. Of several outputs it is an array of
// records, one for each image, whose fields are the outputs:
//
//     answers = numpy.load("answers.npy")
//     answers["boxes"].shape   # (images, 100, 4)
//
// So one file holds everything, and can be written while images are still running.
#ifndef CSSRUN_TOOLS_NUMBERS_H_
#define CSSRUN_TOOLS_NUMBERS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cssrun/network.h"

namespace cssrun::tools {

// The begin of an .npy that holds the answers to `images` images.
std::string NpyHeader(const std::vector<OutputInfo>& outputs, size_t images);
// The bytes of one image in it; those of an image that failed, which has no logits, are NaN.
std::string NpyRecord(const std::vector<OutputInfo>& outputs, std::span<const float> logits);

// A line for people: name, shape, smallest, largest and mean number of each output.
std::string NumbersText(const std::string& path, const std::vector<OutputInfo>& outputs,
                        std::span<const float> logits);
// "outputs":[{"name":...,"shape":...,"data":...},...], for a JSON object.
std::string OutputsJson(const std::vector<OutputInfo>& outputs, std::span<const float> logits);
// A JSON object: path, outputs [name, shape, data], steps, error. `error` is empty when all went
// well; `data` is flat, its last index the fastest, and a number that is not finite is null.
std::string NumbersJson(const std::string& path, const std::vector<OutputInfo>& outputs,
                        std::span<const float> logits, uint32_t steps, const std::string& error);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_NUMBERS_H_
