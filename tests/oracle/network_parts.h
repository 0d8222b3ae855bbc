// Parts from which random networks are made.
//
// A seed must give the same network with every compiler. Numbers are therefore drawn one by one,
// each in a statement of its own, because a compiler may evaluate the arguments of a call in any
// order.
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

// Rounds to a multiple of 1/32 if the network is to be exact.
float Round(float value, bool exact);

// Returns the number of positions of a window along one axis.
int Positions(int size, int kernel, int stride, int pads, int dilation);

// Draws a window of up to 4 taps an axis that fits `source`.
format::Window RandomWindow(Draw& draw, const format::Extent& source, bool dilate);

// Draws a number of channels for every layout: 8 or 16 lanes a position, or one, two or more blocks
// of 32.
uint32_t Channels(Draw& draw, int most);
// Draws a number of channels that has the same layout as `channels`.
uint32_t ChannelsOfSameLayout(Draw& draw, uint32_t channels);

// Returns a window that leads from any map to any other: it pads missing positions and cuts surplus
// ones off.
format::Window Fitted(const format::Extent& from, const format::Extent& to, int kernel, int stride,
                      int pad);

// Returns the extent of a map `e` after a window has passed over it.
format::Extent Through(const format::Window& w, const format::Extent& e, uint32_t channels);

// Returns the extent of a map whose positions are so far apart.
format::Extent SpreadOut(const format::Extent& e, int32_t spread_y, int32_t spread_x);

bool EveryPoolHasMembers(const format::Window& w, const format::Extent& from,
                         const format::Extent& to);

// Draws a convolution whose weights have a standard deviation of 1.2 / sqrt(fan in).
std::unique_ptr<format::SynapsesT> Convolution(Draw& draw, uint32_t source,
                                               const format::Extent& from,
                                               const format::Window& window, uint32_t channels,
                                               uint32_t groups, bool exact);

// Makes synapses with one tap and one weight, as most shortcuts are.
std::unique_ptr<format::SynapsesT> Shortcut(uint32_t source, const format::Window& window,
                                            int channel_offset, float weight);

std::unique_ptr<format::NodeT> Node(const std::string& name, format::NodeKind kind,
                                    const format::Extent& extent);

void DrawBias(Draw& draw, uint32_t timesteps, bool exact, format::NodeT& node);

// Returns thresholds. The last one is 1/2 at most, because it rounds.
std::vector<float> Thresholds(uint32_t timesteps, float share);

// Makes a network that has only the encoder.
format::NetworkT EmptyNetwork(uint32_t timesteps, float beta, uint32_t silent, bool negative,
                              const format::Extent& image);

// Rounds the weights of each channel to 8-bit integers times a step.
void MakeWhole(Draw& draw, const format::NodeT& node, format::SynapsesT& s);

// Adds a readout that reads every node that no other node reads.
void AddReadout(Draw& draw, bool exact, format::NetworkT& network);

// Fills in offsets and delays from the graph.
void SetTiming(format::NetworkT& network);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_NETWORK_PARTS_H_
