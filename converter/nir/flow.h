// What goes over an edge of a NIR graph: the spikes of a layer, and the linear operations that they
// have gone through since. When a layer takes them, they become its synapses.
#ifndef CSSRUN_CONVERTER_NIR_FLOW_H_
#define CSSRUN_CONVERTER_NIR_FLOW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "network_generated.h"

namespace cssrun::converter {

// Operations come in this order: pool, scale, weights, bias. What comes in another order begins
// anew from a layer that only passes values on.
struct Flow {
  size_t source = 0;                   // event node
  format::Extent seen;                 // of the source after the pool
  format::Extent extent;               // after all operations
  bool flat = false;                   // a vector, channel after channel
  std::optional<format::Window> pool;  // sums
  std::vector<double> scale = {1};     // of the weights: one, or one for each channel of `seen`
  bool has_weights = false;
  format::Window window;
  uint32_t groups = 1;
  std::vector<double> weights;  // [target channel][source channel of the group][y][x]
  std::vector<double> bias;     // none, or one for each channel of `extent`

  bool has_operations() const {
    return has_weights || pool.has_value() || scale.size() > 1 || scale[0] != 1 || !bias.empty();
  }
};

// The synapses that a flow becomes.
format::EventSynapsesT SynapsesOf(const Flow& flow);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_FLOW_H_
