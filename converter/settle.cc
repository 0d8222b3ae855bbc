// Views::Settle(): views that layers can read after Slices or a Deconvolution, as SpaceToDepth and
// DepthToSpace make them, by themselves or as Reshape, Transpose, Reshape.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/passes/normalize.h"
#include "converter/passes/sweep.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

// The element of a view at a channel, row and column.
class Reader {
 public:
  Reader(const View& view, const Shape& shape) : view_(view), shape_(shape) {}
  int64_t operator()(int64_t channel, int64_t row, int64_t column) const {
    return view_.elements[static_cast<size_t>((channel * shape_[2] + row) * shape_[3] + column)];
  }

 private:
  const View& view_;
  const Shape& shape_;
};

}  // namespace

bool Views::Settle(ValueId id) {
  const View* found = ViewOf(id);
  if (found == nullptr) return false;
  const View view = *found;
  const Shape& shape = ShapeOf(id);
  if (shape.size() != 4 || ShapeOf(view.base).size() != 4 || shape[0] != 1 ||
      ElementCount(shape) < 1 || ChannelsOf(view, shape).has_value()) {
    return false;
  }
  return SettleBySlices(id, view) || SettleByBlocks(id, view);
}

// Each channel is a channel of the base from some row and column on, with the same steps for all.
bool Views::SettleBySlices(ValueId id, const View& view) {
  const Shape shape = ShapeOf(id);
  const Shape base = ShapeOf(view.base);
  const Reader at(view, shape);
  const int64_t step_y = shape[2] > 1 ? (at(0, 1, 0) - at(0, 0, 0)) / base[3] : 1;
  const int64_t step_x = shape[3] > 1 ? at(0, 0, 1) - at(0, 0, 0) : 1;
  if (step_y < 1 || step_x < 1) return false;
  std::vector<std::pair<int64_t, int64_t>> firsts;  // row and column of each Slice
  std::vector<int64_t> channels;                    // in the Slices side by side
  for (int64_t c = 0; c < shape[1]; ++c) {
    const int64_t first = at(c, 0, 0);
    const std::pair from(first / base[3] % base[2], first % base[3]);
    if (from.first + (shape[2] - 1) * step_y >= base[2] ||
        from.second + (shape[3] - 1) * step_x >= base[3]) {
      return false;
    }
    for (int64_t y = 0; y < shape[2]; ++y) {
      for (int64_t x = 0; x < shape[3]; ++x) {
        if (at(c, y, x) != first + y * step_y * base[3] + x * step_x) return false;
      }
    }
    const auto known = std::find(firsts.begin(), firsts.end(), from);
    channels.push_back((known - firsts.begin()) * base[1] + first / (base[2] * base[3]));
    if (known == firsts.end()) firsts.push_back(from);
  }
  const std::string name = graph_.value(id).name;
  std::vector<ValueId> parts;
  for (const auto& [row, column] : firsts) {
    Node slice{OpKind::kSlice, name, {view.base}, {id}, {}};
    SetSlice(graph_,
             {{0, 1, 1}, {0, 1, base[1]}, {row, step_y, shape[2]}, {column, step_x, shape[3]}},
             slice);
    std::vector<ValueId> inputs = slice.inputs;
    parts.push_back(Emit(std::move(slice), std::move(inputs), {1, base[1], shape[2], shape[3]}));
  }
  ValueId joined = parts[0];
  if (parts.size() > 1) {
    const auto count = static_cast<int64_t>(parts.size());
    Node concat{OpKind::kConcat, name, {}, {id}, {{"axis", int64_t{1}}}};
    joined = Emit(std::move(concat), std::move(parts), {1, count * base[1], shape[2], shape[3]});
  }
  Set(id, MoveChannels(joined, channels));
  return true;
}

// Each position of the base is a block of positions, of which each reads one of its channels.
bool Views::SettleByBlocks(ValueId id, const View& view) {
  const Shape shape = ShapeOf(id);
  const Shape base = ShapeOf(view.base);
  if (shape[2] % base[2] != 0 || shape[3] % base[3] != 0) return false;
  const int64_t rows = shape[2] / base[2];
  const int64_t columns = shape[3] / base[3];
  if (shape[1] * base[1] > kMostViewedElements / (rows * columns)) return false;
  const Reader at(view, shape);
  std::vector<float> weights(static_cast<size_t>(shape[1] * base[1] * rows * columns), 0.0F);
  for (int64_t c = 0; c < shape[1]; ++c) {
    for (int64_t y = 0; y < shape[2]; ++y) {
      for (int64_t x = 0; x < shape[3]; ++x) {
        const int64_t element = at(c, y, x);
        const int64_t channel = element / (base[2] * base[3]);
        if (element % (base[2] * base[3]) != y / rows * base[3] + x / columns) return false;
        const int64_t map = c * base[1] + channel;
        float& weight =
            weights[static_cast<size_t>((map * rows + y % rows) * columns + x % columns)];
        if (y < rows && x < columns) weight = 1;
        if (weight != 1) return false;  // another channel than in the first block
      }
    }
  }
  const std::string name = graph_.value(id).name;
  Node deconvolution{OpKind::kDeconvolution, name, {}, {id}, {}};
  deconvolution.attributes = {{"kernel_shape", std::vector<int64_t>{rows, columns}},
                              {"strides", std::vector<int64_t>{rows, columns}},
                              {"dilations", std::vector<int64_t>{1, 1}},
                              {"pads", std::vector<int64_t>{0, 0, 0, 0}},
                              {"group", int64_t{1}}};
  const ValueId constant =
      AddFloats(graph_, name + ".blocks", {shape[1], base[1], rows, columns}, std::move(weights));
  const ValueId spread = Emit(std::move(deconvolution), {view.base, constant}, shape);
  Set(id, View{spread, Iota(ElementCount(shape))});
  return true;
}

}  // namespace cssrun::converter
