// Reports a kernel's benchmark: operations a second, and their share of the machine's limit for
// operations of this kind.
#ifndef CSSRUN_BENCH_KERNELS_REPORT_H_
#define CSSRUN_BENCH_KERNELS_REPORT_H_

#include <benchmark/benchmark.h>

#include <string>

namespace cssrun::internal {

// A limit of this machine, see roofline.h. Each limit is measured once, when a benchmark first asks
// for it.
enum class Limit {
  kLaneAdditions,  // 16-bit lanes loaded from the first-level cache and added
  kByteProducts,   // products of bytes, or of the pairs of 16 bits that stand in for them, in
                   // registers
  kFloatProducts,  // products of floats added to sums, in registers
  kFloatLanes,     // floats loaded from the first-level cache, multiplied, added to and stored
};

// Returns the limit in operations a second.
double MachineLimit(Limit limit);

// Reports the `operations` of one iteration as the rate `name`.
inline void Report(benchmark::State& state, double operations, const std::string& name = "SyOP/s") {
  state.counters[name] = benchmark::Counter(operations * static_cast<double>(state.iterations()),
                                            benchmark::Counter::kIsRate);
}

// Reports the same rate, and beside it the counter "of limit", 0 to 1. The counter is a ratio of
// two rates, although the console prints "/s" after it.
inline void ReportShare(benchmark::State& state, double operations, const std::string& name,
                        Limit limit) {
  Report(state, operations, name);
  state.counters["of limit"] =
      benchmark::Counter(operations * static_cast<double>(state.iterations()) / MachineLimit(limit),
                         benchmark::Counter::kIsRate);
}

}  // namespace cssrun::internal

#endif  // CSSRUN_BENCH_KERNELS_REPORT_H_
