// What the tests of the integer engine share: every spike of every layer, recorded and compared
// with the reference.
//
// They see the engine through its spikes and through plan.h alone, so that they do not change with
// what lies between.
#ifndef CSSRUN_TESTS_RUNTIME_INTEGER_SUPPORT_H_
#define CSSRUN_TESTS_RUNTIME_INTEGER_SUPPORT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "runtime/integer/plan.h"
#include "tests/oracle/integer_reference.h"
#include "tests/oracle/reference.h"

namespace cssrun::integer_tests {

// Null, with a failure of the test, where it does not load.
std::shared_ptr<const Network> Load(const format::NetworkT& description);
// The same; also where the integer engine cannot run it.
std::shared_ptr<const Network> LoadInIntegers(const format::NetworkT& description);

internal::IntegerPlan PlanOf(const Network& network);
// What the reference of one layer is told.
oracle::Choices ChoicesOf(const internal::LayerPlan& plan);

struct SpikeRecord {
  std::vector<oracle::Train> trains;  // by layer
  Answer answer;
};

// Runs on the instruction set that is chosen now. With several threads, they share every layer.
SpikeRecord Record(const Network& network, const std::vector<uint8_t>& pixels, uint32_t chunk = 0,
                   unsigned threads = 1);

struct Counts {
  uint64_t decisions = 0;
  uint64_t not_compared = 0;  // a sum may have saturated on the way

  uint64_t compared() const { return decisions - not_compared; }
};

// Fails where a spike is not the reference's. Each layer's reference is driven with the engine's
// own spikes.
void Compare(const format::NetworkT& description, const Network& network,
             const std::vector<uint8_t>& pixels, const SpikeRecord& record, Counts& counts);

void ExpectSame(const SpikeRecord& expected, const SpikeRecord& actual);

// All that this machine has, and the one without vectors, which the machine does not name.
std::vector<int64_t> InstructionSets();
// Calls `function` with each of them chosen, then lets the machine choose again.
void ForEveryInstructionSet(const std::function<void(int64_t)>& function);

}  // namespace cssrun::integer_tests

#endif  // CSSRUN_TESTS_RUNTIME_INTEGER_SUPPORT_H_
