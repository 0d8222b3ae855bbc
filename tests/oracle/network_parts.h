// What random networks are made of.
//
// A seed means the same network wherever it is drawn, so numbers are drawn one by one, each in a
// statement of its own: the order in which arguments of a call are evaluated is the compiler's.
#ifndef CSSRUN_TESTS_ORACLE_NETWORK_PARTS_H_
#define CSSRUN_TESTS_ORACLE_NETWORK_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "network_generated.h"

namespace cssrun::oracle {

class Draw {
 public:
  explicit Draw(uint32_t seed) : generator_(seed) {}
  int Integer(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(generator_);
  }
  uint32_t Count(int low, int high) { return static_cast<uint32_t>(Integer(low, high)); }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(generator_); }
  float Normal(float scale) { return std::normal_distribution<float>(0, scale)(generator_); }
  template <typename T>
  T OneOf(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(Integer(0, static_cast<int>(choices.size()) - 1))];
  }

  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t rest = items.size(); rest > 1; --rest) {
      std::swap(items[rest - 1],
                items[static_cast<size_t>(Integer(0, static_cast<int>(rest) - 1))]);
    }
  }

 private:
  std::mt19937 generator_;
};

// A multiple of 1/32 where networks are to be exact.
float Round(float value, bool exact);

// Of a window along one axis.
int Positions(int size, int kernel, int stride, int pads, int dilation);

// A window of up to 4 taps an axis that fits `source`.
format::Window RandomWindow(Draw& draw, const format::Extent& source, bool dilate);

// What a window makes of `e`.
format::Extent Through(const format::Window& w, const format::Extent& e, uint32_t channels);

bool EveryPoolHasMembers(const format::Window& w, const format::Extent& from,
                         const format::Extent& to);

// Weights of a standard deviation of 1.2 / sqrt(fan in).
std::unique_ptr<format::SynapsesT> Convolution(Draw& draw, uint32_t source,
                                               const format::Extent& from,
                                               const format::Window& window, uint32_t channels,
                                               uint32_t groups, bool exact);

// One tap with one weight: what most shortcuts are.
std::unique_ptr<format::SynapsesT> Shortcut(uint32_t source, const format::Window& window,
                                            int channel_offset, float weight);

std::unique_ptr<format::NodeT> Node(const std::string& name, format::NodeKind kind,
                                    const format::Extent& extent);

void DrawBias(Draw& draw, uint32_t timesteps, bool exact, format::NodeT& node);

// The last is 1/2 at most: it rounds.
std::vector<float> Thresholds(uint32_t timesteps, float share);

// The encoder alone.
format::NetworkT EmptyNetwork(uint32_t timesteps, float beta, uint32_t silent, bool negative,
                              const format::Extent& image);

// Rounds the weights of each channel to 8-bit integers times a step.
void MakeWhole(Draw& draw, const format::NodeT& node, format::SynapsesT& s);

// A readout that hears every node that nothing else hears.
void AddReadout(Draw& draw, bool exact, format::NetworkT& network);

// Fills in offsets and delays from the graph.
void SetTiming(format::NetworkT& network);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_NETWORK_PARTS_H_
