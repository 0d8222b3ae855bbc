// Formats one image's answer as a line of text, CSV or JSON.
#ifndef CSSRUN_TOOLS_OUTPUT_H_
#define CSSRUN_TOOLS_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cssrun/status.h"
#include "tools/image_list.h"

namespace cssrun::tools {

enum class OutputFormat { kText, kCsv, kJsonLines, kNpy };

struct Guess {
  size_t index = 0;   // of the class among the labels
  std::string label;  // its name, or the index where the network has no labels
  double logit = 0;
  double probability = 0;  // softmax over all logits
};

struct ImageResult {
  std::string path;
  std::string truth;  // empty when unknown
  bool has_truth = false;
  bool right = false;          // meaningful only if the truth is known
  std::vector<Guess> guesses;  // best first; empty after an error
  double margin = 0;           // best logit minus second best
  uint32_t steps = 0;
  std::string error;  // empty when all went well
};

// Returns whether class `a` goes before class `b`: larger logits first, equal logits in the order
// of their index, NaN last.
bool GoesBefore(const std::vector<float>& logits, size_t a, size_t b);

// Returns the best `count` classes in that order.
std::vector<Guess> BestGuesses(const std::vector<float>& logits,
                               const std::vector<std::string>& labels, size_t count);

// Pieces of a line, which images and frames share. A field of CSV by RFC 4180, in which control
// characters are escaped, because a terminal that shows the file would obey them; a JSON string, in
// which bytes that are not UTF-8 are replaced.
std::string CsvField(const std::string& text);
std::string JsonText(const std::string& text);
// "  label 98.7%" for each guess; ",label,probability,logit" for each of `topk`, empty where there
// is no guess; an array of objects.
std::string GuessesText(const std::vector<Guess>& guesses);
std::string GuessesCsv(const std::vector<Guess>& guesses, size_t topk);
std::string GuessesCsvHeader(size_t topk);
nlohmann::ordered_json GuessesJson(const std::vector<Guess>& guesses);

// The functions below are for classes, and for all formats but kNpy; numbers.h has the others.
//
// Returns the first line of the output, which is empty if the format has none. There are `topk`
// guesses a line.
std::string FormatHeader(OutputFormat format, size_t topk);
// Returns a complete line. CSV and JSON contain errors; text does not, because they are on standard
// error.
std::string FormatResult(OutputFormat format, const ImageResult& result, size_t topk);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_OUTPUT_H_
