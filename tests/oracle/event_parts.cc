#include "tests/oracle/event_parts.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cssrun::oracle {
namespace {

using format::Extent;
using format::Window;

std::unique_ptr<format::EventNodeT> Neurons(std::string name, const Extent& extent, double decay) {
  auto node = std::make_unique<format::EventNodeT>();
  node->name = std::move(name);
  node->extent = std::make_unique<Extent>(extent);
  node->decay = {decay};
  node->gain = {1};
  node->drive = {0};
  node->threshold = {1};
  return node;
}

std::unique_ptr<format::EventSynapsesT> Synapses(uint32_t source, const Window& window,
                                                 size_t weights) {
  auto synapses = std::make_unique<format::EventSynapsesT>();
  synapses->source = source;
  synapses->window = std::make_unique<Window>(window);
  for (size_t i = 0; i < weights; ++i) {
    synapses->weights.push_back(static_cast<float>(1 + i * 5 % 7 % 3) / 4);
  }
  return synapses;
}

}  // namespace

format::NetworkT SmallEventNetwork() {
  auto events = std::make_unique<format::EventNetworkT>();
  events->step_seconds = 0.001;
  events->assumptions = {"time: steps of 0.001 s (assumed)"};
  auto input = std::make_unique<format::EventNodeT>();
  input->name = "input";
  input->extent = std::make_unique<Extent>(2, 4, 4);
  auto first = Neurons("first", {3, 4, 4}, 0.875);
  first->synapses.push_back(Synapses(0, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 3 * 2 * 9));
  auto last = Neurons("last", {5, 1, 1}, 1);
  last->synapses.push_back(Synapses(1, {2, 2, 1, 1, 0, 0, 0, 0, 1, 1}, 5 * 3 * 4));
  last->synapses[0]->pool = std::make_unique<Window>(2, 2, 2, 2, 0, 0, 0, 0, 1, 1);
  events->nodes.push_back(std::move(input));
  events->nodes.push_back(std::move(first));
  events->nodes.push_back(std::move(last));
  return format::MakeEventFile(std::move(events));
}

}  // namespace cssrun::oracle
