#include "converter/operators/channels.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"
#include "converter/views.h"

namespace cssrun::converter {

bool FollowPermutedChannels(Views& views, const Node& node) {
  const View* found = views.ViewOf(node.inputs[0]);
  if (found == nullptr) return false;
  const View& view = *found;
  const Shape base = views.ShapeOf(view.base);
  const auto channels = views.ChannelsOf(view, views.ShapeOf(node.inputs[0]));
  if (!channels.has_value() || !IsPermutation(*channels, base[1])) return false;
  std::vector<ValueId> inputs = {view.base};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) {
      inputs.push_back(kNoValue);
      continue;
    }
    const std::vector<float>* values = ConstantFloats(views.graph(), node, i);
    if (values == nullptr) return false;
    const size_t row = values->size() / channels->size();
    std::vector<float> moved(values->size());
    for (size_t c = 0; c < channels->size(); ++c) {
      std::copy_n(values->begin() + static_cast<std::ptrdiff_t>(c * row), row,
                  moved.begin() + (*channels)[c] * static_cast<std::ptrdiff_t>(row));
    }
    const Shape shape = views.graph().ConstantInput(node, i)->shape;
    inputs.push_back(AddFloats(views.graph(), views.graph().value(node.inputs[i]).name, shape,
                               std::move(moved)));
  }
  const ValueId result = views.Emit(node, std::move(inputs), views.ShapeOf(node.outputs[0]));
  return views.Set(node, views.MoveChannels(result, *channels));
}

}  // namespace cssrun::converter
