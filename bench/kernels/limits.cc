// Measures the machine's limits as benchmarks of their own. The kernels are compared with them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/report.h"
#include "kernels/roofline.h"
#include "runtime/aligned.h"

namespace cssrun::internal {
namespace {

// Returns the best rate of many short runs. On a shared machine, a longer run would also measure
// what other programs do.
double BestRate(size_t (*run)()) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int i = 0; i < 400; ++i) {
    const auto start = Clock::now();
    const auto operations = static_cast<double>(run());
    const std::chrono::duration<double> seconds = Clock::now() - start;
    best = std::max(best, operations / seconds.count());
  }
  return best;
}

void RunLimit(benchmark::State& state, size_t (*run)(), const char* name) {
  double operations = 0;
  for (auto _ : state) operations = static_cast<double>(run());
  Report(state, operations, name);
}

void BM_Roofline(benchmark::State& state) { RunLimit(state, &LoadAndAddLanes, "SyOP/s"); }

void BM_ByteProducts(benchmark::State& state) {
  state.SetLabel(ByteProductsVariant());
  RunLimit(state, &MultiplyBytes, "products/s");
}

void BM_ByteProductsLoaded(benchmark::State& state) {
  state.SetLabel(ByteProductsVariant());
  RunLimit(state, &LoadAndMultiplyBytes, "products/s");
}

void BM_ByteProductsInPairs(benchmark::State& state) {
  RunLimit(state, &MultiplyPairsOfBytes, "products/s");
}

void BM_FloatLanes(benchmark::State& state) { RunLimit(state, &StreamFloats, "lanes/s"); }

// Measures the two things that limit a tile: the distance of its table from the core, and lists
// whose ends cannot be predicted. Arguments: KiB of the table, rows of a list on average, whether
// their number varies by a half.
void BM_Rows(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0)) * 1024 / (64 * sizeof(int16_t));
  const auto length = static_cast<uint32_t>(state.range(1));
  auto table = AllocateAligned<int16_t>(rows * 64);
  std::fill_n(table.get(), rows * 64, int16_t{1});
  std::mt19937 generator(1);
  std::uniform_int_distribution<uint32_t> row(0, static_cast<uint32_t>(rows - 1));
  std::uniform_int_distribution<uint32_t> spread(length / 2, length + length / 2);
  std::vector<uint16_t> numbers;
  std::vector<uint32_t> bounds = {0};
  while (numbers.size() < (1 << 18)) {
    const uint32_t count = (state.range(2) != 0 ? spread(generator) : length) / 4 * 4;
    for (uint32_t i = 0; i < count; ++i) numbers.push_back(static_cast<uint16_t>(row(generator)));
    bounds.push_back(static_cast<uint32_t>(numbers.size()));
  }
  double lanes = 0;
  for (auto _ : state) {
    lanes = static_cast<double>(AddRowsOfTable({table.get(), rows * 64}, numbers, bounds));
  }
  Report(state, lanes);
}

BENCHMARK(BM_Roofline);
BENCHMARK(BM_ByteProducts);
BENCHMARK(BM_ByteProductsLoaded);
BENCHMARK(BM_ByteProductsInPairs);
BENCHMARK(BM_FloatLanes);
BENCHMARK(BM_Rows)
    ->ArgNames({"KiB", "rows", "varying"})
    ->ArgsProduct({{16, 32, 74, 148, 296, 592, 1184}, {64}, {0, 1}})
    ->ArgsProduct({{32}, {8, 16, 32, 128}, {0, 1}});

}  // namespace

double MachineLimit(Limit limit) {
  static double rates[4] = {};
  double& rate = rates[static_cast<size_t>(limit)];
  if (rate > 0) return rate;
  switch (limit) {
    case Limit::kLaneAdditions:
      rate = BestRate(&LoadAndAddLanes);
      break;
    case Limit::kByteProducts:
      // Without a third operand, operands that are loaded need no copy.
      rate = std::max(BestRate(&MultiplyBytes), BestRate(&LoadAndMultiplyBytes));
      break;
    case Limit::kFloatProducts:
      rate = BestRate(&MultiplyFloats);
      break;
    case Limit::kFloatLanes:
      rate = BestRate(&StreamFloats);
      break;
  }
  return rate;
}

}  // namespace cssrun::internal
