// Finds activations that are multiplied by a function of themselves: SiLU, GELU, HardSwish and
// similar ones, which exporters write as several nodes, and the gates of squeeze-and-excitation.
#ifndef CSSRUN_CONVERTER_GATES_H_
#define CSSRUN_CONVERTER_GATES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "converter/graph.h"

namespace cssrun::converter {

struct Gate {
  std::string name;            // "SiLU"
  std::string reason;          // why it cannot be converted
  size_t product = 0;          // index of the Mul
  std::vector<size_t> others;  // indices of the other nodes that only compute its factor
};

// Returns the gates of a graph after RunPasses(), by ascending product.
std::vector<Gate> FindGates(const Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_GATES_H_
