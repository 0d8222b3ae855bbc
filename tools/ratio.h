// Ratios of counts, for summaries and reports.
#ifndef CSSRUN_TOOLS_RATIO_H_
#define CSSRUN_TOOLS_RATIO_H_

#include <cstdint>

namespace cssrun::tools {

inline double AsDouble(uint64_t number) { return static_cast<double>(number); }

// 0 of nothing.
inline double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RATIO_H_
