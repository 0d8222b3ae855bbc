// Knows each value's map of spikes, [channels, rows, columns]. A flattened value keeps its map,
// which its shape does not show.
#ifndef CSSRUN_CONVERTER_MAPS_H_
#define CSSRUN_CONVERTER_MAPS_H_

#include <vector>

#include "converter/graph.h"

namespace cssrun::converter {

class Maps {
 public:
  // Knows the image only; call Add() for every node in order.
  explicit Maps(const Graph& graph);

  void Add(const Node& node);
  // Makes room for values that were added to the graph since.
  void Grow() { maps_.resize(graph_.values.size()); }

  // Returns the map, or an empty shape if it is not known.
  const Shape& Of(ValueId id) const { return maps_[static_cast<size_t>(id)]; }

 private:
  const Graph& graph_;
  std::vector<Shape> maps_;  // by ValueId
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_MAPS_H_
