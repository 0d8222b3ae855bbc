// Formats numbers as the paper's tables and figures print them.
#ifndef CSSRUN_BENCH_PAPER_JSON_H_
#define CSSRUN_BENCH_PAPER_JSON_H_

#include <cmath>
#include <nlohmann/json.hpp>

namespace cssrun::paper {

using Json = nlohmann::ordered_json;

// Rounds to 1 / per_whole, so that JSON prints the decimal in its shortest form.
inline double Rounded(double value, double per_whole = 100) {
  return std::round(value * per_whole) / per_whole;
}

}  // namespace cssrun::paper

#endif  // CSSRUN_BENCH_PAPER_JSON_H_
