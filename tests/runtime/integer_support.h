// Shared parts of the integer engine's tests: they record every spike of every layer and compare it
// with the reference.
//
// The tests use only the engine's spikes and plan.h, so that they need no change when the code
// between the two does.
#ifndef CSSRUN_TESTS_RUNTIME_INTEGER_SUPPORT_H_
#define CSSRUN_TESTS_RUNTIME_INTEGER_SUPPORT_H_

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "runtime/integer/plan.h"
#include "tests/oracle/integer_reference.h"
#include "tests/oracle/reference.h"

namespace cssrun::integer_tests {

// Loads a network. On failure the test fails and null is returned.
std::shared_ptr<const Network> Load(const format::NetworkT& description);
// Loads a network in the same way; also fails if the integer engine cannot run it.
std::shared_ptr<const Network> LoadInIntegers(const format::NetworkT& description);

internal::IntegerPlan PlanOf(const Network& network);
// Whether a kernel of identities adds the synapses.
bool IsShortcut(const internal::SynapsesPlan& synapses);
// Returns what the reference of one layer needs to know of the plan.
oracle::Choices ChoicesOf(const internal::LayerPlan& plan);

struct SpikeRecord {
  std::vector<oracle::Train> trains;  // by layer
  Answer answer;
  std::set<size_t> levels_alone;  // layers that write no spikes when nobody looks at them
  bool shared_tiles = false;      // threads shared targets of some layer, not its rows
};

// Runs on the currently chosen instruction set. Several threads share every layer. Runs again
// without looking at spikes, and expects the same levels, logits and counts.
SpikeRecord Record(const Network& network, const std::vector<uint8_t>& pixels, uint32_t chunk = 0,
                   unsigned threads = 1);

struct Counts {
  uint64_t decisions = 0;
  uint64_t not_compared = 0;  // because a sum may have saturated on the way

  uint64_t compared() const { return decisions - not_compared; }
};

// Fails if a spike differs from the reference's. Each layer's reference is driven with the engine's
// own spikes.
void Compare(const format::NetworkT& description, const Network& network,
             const std::vector<uint8_t>& pixels, const SpikeRecord& record, Counts& counts);

void ExpectSame(const SpikeRecord& expected, const SpikeRecord& actual);

}  // namespace cssrun::integer_tests

#endif  // CSSRUN_TESTS_RUNTIME_INTEGER_SUPPORT_H_
