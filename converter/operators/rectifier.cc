#include "converter/operators/rectifier.h"

#include <utility>
#include <vector>

#include "converter/lowering.h"
#include "converter/views.h"

namespace cssrun::converter {

bool FollowElementwise(Views& views, const Node& node) {
  const View* found = views.ViewOf(node.inputs[0]);
  if (found == nullptr) return false;
  View view = *found;
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = view.base;
  view.base = views.Emit(node, std::move(inputs), views.ShapeOf(view.base));
  return views.Set(node, std::move(view));
}

Status LowerRectifier(Lowering& lowering, const Node& node, std::optional<float> cap) {
  const ValueId input = node.inputs[0];
  if (SpikingNode* pooled = lowering.OwnNeurons(input); pooled != nullptr) {
    pooled->rectify = true;
    pooled->cap = cap;
    pooled->value = node.outputs[0];
    lowering.SetForm(node, lowering.FormOf(input));
    return Status::Ok();
  }
  Form neurons = lowering.MakeNeurons(lowering.FormOf(input), node.outputs[0], true);
  lowering.LastNode().cap = cap;
  lowering.SetForm(node, std::move(neurons));
  return Status::Ok();
}

}  // namespace cssrun::converter
