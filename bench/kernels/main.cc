// bench_kernels: Google Benchmark's options, and --simd=NAME, which allows no better instruction
// set than NAME, as `cssrun --version` and `bench_networks --simd` name it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

#include "bench/instruction_set.h"
#include "cssrun/version.h"

int main(int argc, char** argv) {
  constexpr std::string_view kSimd = "--simd=";
  char** const last = std::stable_partition(argv, argv + argc, [](const char* argument) {
    return !std::string_view(argument).starts_with(kSimd);
  });
  for (char** simd = last; simd != argv + argc; ++simd) {
    const cssrun::Status status =
        cssrun::bench::UseNothingBetterThan(std::string(*simd).substr(kSimd.size()));
    if (!status.ok()) {
      std::fprintf(stderr, "bench_kernels: %s\n", status.message().c_str());
      return 1;
    }
  }
  argc = static_cast<int>(last - argv);
  benchmark::AddCustomContext("simd_target", cssrun::SimdTarget());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
