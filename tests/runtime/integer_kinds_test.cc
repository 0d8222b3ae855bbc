// Draws random networks by kind: every kernel, with everything that may join or follow it, on every
// instruction set. Every spike of every layer is compared with the reference, and the plan of the
// loaded network tells which combination was reached. The test fails if a combination that can
// exist is not reached often enough, and if one that is said not to exist is reached.
#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hwy/targets.h"
#include "runtime/integer/kernels/level_conv/winograd.h"
#include "tests/oracle/kind_network.h"
#include "tests/oracle/random_network.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

using integer_tests::Counts;
using integer_tests::SpikeRecord;
using internal::IntegerPlan;
using internal::LayerPlan;
using internal::PoolName;
using internal::SynapsesPlan;
using oracle::Join;
using oracle::Kind;

constexpr int kWanted = 50;       // networks of each combination
constexpr int kMostDrawn = 200;   // networks drawn before a combination counts as not reached
constexpr int kFutileDrawn = 20;  // networks drawn for a combination that cannot exist
constexpr size_t kAddedAtOnce = 16;

constexpr Join kJoins[] = {Join::kNothing,       Join::kAlignedShortcut, Join::kCopiedShortcut,
                           Join::kOtherShortcut, Join::kOtherSums,       Join::kPixels,
                           Join::kDisjointPool,  Join::kOverlappingPool, Join::kManySynapses};

std::string_view NameOf(Join join) {
  switch (join) {
    case Join::kNothing:
      return "nothing";
    case Join::kAlignedShortcut:
      return "aligned shortcut";
    case Join::kCopiedShortcut:
      return "copied shortcut";
    case Join::kOtherShortcut:
      return "other shortcut";
    case Join::kOtherSums:
      return "other sums";
    case Join::kPixels:
      return "pixels";
    case Join::kDisjointPool:
      return "disjoint pool";
    case Join::kOverlappingPool:
      return "overlapping pool";
    case Join::kManySynapses:
      break;
  }
  return "many synapses";
}

struct Case {
  Kind kind = Kind::kTileGather;
  bool settled = false;
  bool long_train = false;
};

std::string_view KernelOf(const Case& c) {
  switch (c.kind) {
    case Kind::kRowScatter:
      return "row_scatter";
    case Kind::kTileGather:
      return "tile_gather";
    case Kind::kDepthwise:
      return c.long_train ? "level_depthwise" : "depthwise";
    case Kind::kLevelConv:
    case Kind::kWinograd:
      return "level_conv";
    case Kind::kShortcut:
      break;
  }
  return c.settled ? "level_shortcut" : "event_shortcut";
}

// Returns why no layer can have the kernel with this join; nothing if one can.
std::optional<std::string_view> WhyImpossible(const Case& c, Join join) {
  if (c.kind == Kind::kWinograd && internal::ResolveWinograd().sum == nullptr) {
    return "this machine has no kernel for it";
  }
  if (c.kind == Kind::kLevelConv && !c.settled) {
    return "a level is there when all steps are, and event layers fire before";
  }
  if (join == Join::kAlignedShortcut && !c.settled) {
    return "event layers add the spikes of every shortcut by masks, whatever its layout";
  }
  if (join == Join::kCopiedShortcut) {
    if (!c.settled) return "event layers add the spikes of every shortcut by masks";
    if (c.kind == Kind::kShortcut) return "of two shortcuts, this one and its join, none is copied";
  }
  if (join == Join::kOverlappingPool && c.kind != Kind::kTileGather && !c.settled) {
    return "a source would reach a position in several pools: the gather kernel takes its place";
  }
  return std::nullopt;
}

// Returns whether a layer of the plan has the kernel with this join.
bool Reaches(const LayerPlan& layer, const Case& c, Join join) {
  if (layer.settled != c.settled) return false;
  const auto is_of_kind = [&](const SynapsesPlan& s) {
    return s.kernel.name == KernelOf(c) && (c.kind != Kind::kWinograd || s.winograd);
  };
  if (std::ranges::none_of(layer.synapses, is_of_kind)) return false;
  // A join may use the same kernel as the main synapses, so the synapses are counted by kind.
  size_t aligned = 0;
  size_t copied = 0;
  size_t shortcuts = 0;  // all others
  size_t sums = 0;
  for (const SynapsesPlan& s : layer.synapses) {
    aligned += s.aligned;
    copied += s.copied;
    shortcuts += integer_tests::IsShortcut(s) && !s.aligned && !s.copied;
    sums += !integer_tests::IsShortcut(s);
  }
  const bool is_shortcut = c.kind == Kind::kShortcut;
  // Levels that no other sums join are rounded in registers, whatever else the layer has.
  const bool levels = c.kind == Kind::kLevelConv || c.long_train;
  if (levels && !is_shortcut && layer.fused != (sums == 1)) return false;
  if (levels && !is_shortcut && join != Join::kOtherSums && join != Join::kManySynapses &&
      !layer.fused) {
    return false;
  }
  switch (join) {
    case Join::kNothing:
      return layer.synapses.size() == 1 && layer.pixel_synapses == 0 &&
             layer.pool == PoolName::kNone;
    case Join::kAlignedShortcut:
      return aligned > 0 && layer.synapses.size() > 1;
    case Join::kCopiedShortcut:
      return !is_shortcut && copied > 0 && layer.synapses.size() > 1;
    case Join::kOtherShortcut:
      return shortcuts > 0 && (!is_shortcut || shortcuts + aligned > 1);
    case Join::kOtherSums:
      return sums > (is_shortcut ? 0 : 1);
    case Join::kPixels:
      return layer.pixel_synapses > 0;
    case Join::kDisjointPool:
      return layer.pool == PoolName::kDisjoint;
    case Join::kOverlappingPool:
      return layer.pool == PoolName::kOverlapping;
    case Join::kManySynapses:
      break;
  }
  return layer.synapses.size() > kAddedAtOnce;
}

bool Reaches(const IntegerPlan& plan, const Case& c, Join join) {
  return std::ranges::any_of(plan.layers,
                             [&](const LayerPlan& layer) { return Reaches(layer, c, join); });
}

uint32_t SeedOf(const Case& c, Join join, int number) {
  const uint32_t code = c.long_train ? 40 : c.settled ? 1 : 0;
  const uint32_t cell =
      (static_cast<uint32_t>(c.kind) * 2 + code) * 8 + static_cast<uint32_t>(join);
  return cell * 1000 + static_cast<uint32_t>(number);
}

class IntegerKindsTest : public testing::TestWithParam<Case> {
 protected:
  // The number of networks by instruction set.
  using Reached = std::map<int64_t, int>;

  // Draws networks until the combination is reached often enough.
  Reached Draw(Join join, bool possible) {
    Reached reached;
    for (int number = 0; number < (possible ? kMostDrawn : kFutileDrawn); ++number) {
      const uint32_t seed = SeedOf(GetParam(), join, number);
      SCOPED_TRACE(std::string(NameOf(join)) + ", seed " + std::to_string(seed));
      const format::NetworkT description = oracle::KindNetwork(
          {GetParam().kind, join, GetParam().settled, GetParam().long_train}, seed);
      const std::shared_ptr<const Network> network = integer_tests::LoadInIntegers(description);
      if (network == nullptr) return reached;
      if (Reaches(integer_tests::PlanOf(*network), GetParam(), join)) {
        Run(description, *network, seed, join, reached);
      }
      if (HasFailure()) return reached;
      if (!reached.empty() && reached.begin()->second >= kWanted) break;
    }
    return reached;
  }

  // Runs on every instruction set, with some chunk and some number of threads.
  void Run(const format::NetworkT& description, const Network& network, uint32_t seed, Join join,
           Reached& reached) {
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const SpikeRecord best = integer_tests::Record(network, pixels);
    const IntegerPlan plan = integer_tests::PlanOf(network);
    levels_alone_ += std::ranges::any_of(best.levels_alone, [&](size_t layer) {
      return Reaches(plan.layers[layer], GetParam(), join);
    });
    integer_tests::Compare(description, network, pixels, best, counts_);
    const uint32_t chunk = 1 + seed % 3;
    const unsigned threads = 1 + seed % 4;
    // Some sets run twice, with and without an instruction.
    std::set<int64_t> sets;
    ForEveryInstructionSet([&](int64_t set) {
      integer_tests::ExpectSame(best, integer_tests::Record(network, pixels));
      sets.insert(set);
    });
    for (const int64_t set : sets) ++reached[set];
    const SpikeRecord shared = integer_tests::Record(network, pixels, chunk, threads);
    integer_tests::ExpectSame(best, shared);
    shared_tiles_ += shared.shared_tiles;
  }

  static void Print(Join join, const Reached& reached) {
    std::printf("  %-18s", std::string(NameOf(join)).c_str());
    for (const auto& [set, networks] : reached) {
      std::printf("  %s %d", hwy::TargetName(set), networks);
    }
    std::printf("\n");
  }

  Counts counts_;
  int levels_alone_ = 0;  // networks whose layer of this kind sends levels alone
  int shared_tiles_ = 0;  // networks with a layer whose targets are shared
};

TEST_P(IntegerKindsTest, EqualsItsReferenceWithWhateverJoins) {
  std::printf("networks of %s in %s layers with\n", std::string(KernelOf(GetParam())).c_str(),
              GetParam().settled ? "settled" : "event");
  bool exists = false;
  for (const Join join : kJoins) {
    const std::optional<std::string_view> why = WhyImpossible(GetParam(), join);
    exists = exists || !why.has_value();
    const Reached reached = Draw(join, !why.has_value());
    if (HasFailure()) return;
    if (why.has_value()) {
      std::printf("  %-18s  none: %s\n", std::string(NameOf(join)).c_str(),
                  std::string(*why).c_str());
      EXPECT_TRUE(reached.empty()) << NameOf(join) << " is said not to exist: " << *why;
      continue;
    }
    Print(join, reached);
    for (const int64_t set : InstructionSets()) {
      const auto networks = reached.find(set);
      EXPECT_TRUE(networks != reached.end() && networks->second >= kWanted)
          << NameOf(join) << " is not reached often enough on " << hwy::TargetName(set);
    }
  }
  if (!exists) return;  // the reasons are printed
  std::printf("  %d send levels alone\n", levels_alone_);
  const Case& c = GetParam();
  const bool sums_levels = c.long_train || c.kind == Kind::kLevelConv || c.kind == Kind::kShortcut;
  std::printf("  %d share tiles\n", shared_tiles_);
  EXPECT_GE(shared_tiles_, c.settled && c.kind == Kind::kLevelConv ? 5 : 0);
  EXPECT_GE(levels_alone_, !c.settled ? 0 : sums_levels ? kWanted : 5);
  std::printf("  %" PRIu64 " decisions, %" PRIu64 " not compared\n", counts_.decisions,
              counts_.not_compared);
  EXPECT_LE(counts_.not_compared * 20, counts_.decisions);
}

std::string NameOfCase(const testing::TestParamInfo<Case>& tested) {
  if (tested.param.kind == Kind::kWinograd) return "winograd";
  return std::string(KernelOf(tested.param)) + (tested.param.long_train ? "_long_trains"
                                                : tested.param.settled  ? "_settled"
                                                                        : "_events");
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, IntegerKindsTest,
    testing::Values(Case{Kind::kRowScatter, false}, Case{Kind::kRowScatter, true},
                    Case{Kind::kTileGather, false}, Case{Kind::kTileGather, true},
                    Case{Kind::kDepthwise, false}, Case{Kind::kDepthwise, true},
                    Case{Kind::kLevelConv, false}, Case{Kind::kLevelConv, true},
                    Case{Kind::kShortcut, false}, Case{Kind::kShortcut, true},
                    Case{Kind::kDepthwise, true, true}, Case{Kind::kLevelConv, true, true},
                    Case{Kind::kShortcut, true, true}, Case{Kind::kWinograd, true, true}),
    NameOfCase);

}  // namespace
}  // namespace cssrun
