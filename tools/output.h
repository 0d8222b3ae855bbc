// One image's answer, as a line of text, CSV or JSON.
#ifndef CSSRUN_TOOLS_OUTPUT_H_
#define CSSRUN_TOOLS_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cssrun/status.h"
#include "tools/image_list.h"

namespace cssrun::tools {

enum class OutputFormat { kText, kCsv, kJsonLines };

struct Guess {
  size_t index = 0;   // of the class
  std::string label;  // its name, or the index where the network has no labels
  double logit = 0;
  double probability = 0;  // softmax over all logits
};

struct ImageResult {
  std::string path;
  std::string truth;  // empty when unknown
  bool has_truth = false;
  bool right = false;          // meaningful with a truth
  std::vector<Guess> guesses;  // best first; empty after an error
  double margin = 0;           // best logit less second best
  uint32_t steps = 0;
  std::string error;  // empty when all went well
};

// Whether class `a` goes before class `b`: larger logits first, equal ones in the order of their
// index, those that are not a number last.
bool GoesBefore(const std::vector<float>& logits, size_t a, size_t b);

// The best `count` classes in that order.
std::vector<Guess> BestGuesses(const std::vector<float>& logits,
                               const std::vector<std::string>& labels, size_t count);

// The first line of the output; empty if the format has none. `topk` guesses a line.
std::string FormatHeader(OutputFormat format, size_t topk);
// A complete line. CSV and JSON carry errors; text does not (they are on standard error).
std::string FormatResult(OutputFormat format, const ImageResult& result, size_t topk);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_OUTPUT_H_
