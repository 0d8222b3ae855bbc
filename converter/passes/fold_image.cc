#include "converter/passes/fold_image.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/passes/evaluate.h"
#include "converter/passes/follow_addresses.h"
#include "converter/passes/sweep.h"
#include "converter/strides.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

// Element i of a value is scale[i] * image[pixel[i]] + shift[i].
struct Track {
  Elements pixel;
  std::vector<double> scale;
  std::vector<double> shift;
};

// Bounds the memory of all tracks; a hostile file may reshape its image many times.
constexpr int64_t kMostTracked = int64_t{1} << 25;

// Shifts that differ by less come from rounding.
constexpr double kEqual = 1e-6;

// What every reader of the image does to each of its pixels.
struct PixelUse {
  double scale = 1;
  double shift = 0;
  bool known = false;
};

class ImageFolder {
 public:
  explicit ImageFolder(Graph& graph) : graph_(graph) {}

  Status Run() {
    const Shape& image = graph_.value(graph_.input).shape;
    if (!Follow() || !HasOneUse()) return Status::Ok();
    const size_t channel_axis = HasChannelsLast(graph_) ? 3 : 1;
    if (!TakeChannels(image, channel_axis)) return Status::Ok();
    Sweep sweep(graph_);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      Node& node = sweep.Visit(i);
      if (node.outputs.empty() || !tracks_.contains(node.outputs[0]) || !IsArithmetic(node)) {
        continue;
      }
      sweep.Replace(node, node.inputs[ActivationOf(node)]);
    }
    sweep.Finish();
    graph_.image_scale = std::move(scales_);
    graph_.image_shift = std::move(shifts_);
    graph_.image_map = std::move(map_);
    return Status::Ok();
  }

 private:
  static bool IsArithmetic(const Node& node) {
    return IsOneOf(node.op, {OpKind::kAdd, OpKind::kSub, OpKind::kMul, OpKind::kDiv,
                             OpKind::kBatchNormalization});
  }

  size_t ActivationOf(const Node& node) const {
    return graph_.ConstantInput(node, 0) != nullptr ? 1 : 0;
  }

  const Track* TrackOf(ValueId id) const {
    const auto found = tracks_.find(id);
    return found == tracks_.end() ? nullptr : &found->second;
  }

  // Tracks what is made of the image by moving and scaling alone. True when anything is scaled.
  bool Follow() {
    const int64_t pixels = ElementCount(graph_.value(graph_.input).shape);
    if (pixels > kMostTracked) return false;
    const auto size = static_cast<size_t>(pixels);
    tracks_[graph_.input] = {Iota(pixels), std::vector<double>(size, 1),
                             std::vector<double>(size, 0)};
    int64_t tracked = pixels;
    bool scaled = false;
    for (const Node& node : graph_.nodes) {
      if (node.outputs.size() != 1 || node.outputs[0] == kNoValue || node.inputs.empty()) continue;
      std::optional<Track> track = IsArithmetic(node) ? Scaled(node) : Moved(node);
      if (!track.has_value()) continue;
      tracked += static_cast<int64_t>(track->pixel.size());
      if (tracked > kMostTracked) return false;
      scaled = scaled || IsArithmetic(node);
      tracks_[node.outputs[0]] = *std::move(track);
    }
    return scaled;
  }

  // The track of a node that only moves elements: it is evaluated on their numbers.
  std::optional<Track> Moved(const Node& node) const {
    const bool moves =
        OperatorOf(node.op).elements != ElementRule::kComputed || node.op == OpKind::kConcat;
    if (!moves) return std::nullopt;
    Graph numbers;
    numbers.opset = graph_.opset;
    Node copy = node;
    Track all;
    for (ValueId& id : copy.inputs) {
      if (id == kNoValue) continue;
      const Value& value = graph_.value(id);
      std::shared_ptr<const Tensor> constant = value.constant;
      if (const Track* track = TrackOf(id); track != nullptr) {
        Elements from(track->pixel.size());
        for (size_t i = 0; i < from.size(); ++i)
          from[i] = static_cast<int64_t>(all.pixel.size() + i);
        Append(*track, all);
        constant = std::make_shared<const Tensor>(Tensor{value.shape, std::move(from)});
      }
      if (constant == nullptr) return std::nullopt;
      id = numbers.AddValue(value.name, value.shape, std::move(constant));
    }
    if (all.pixel.empty()) return std::nullopt;
    copy.outputs = {numbers.AddValue("moved", {})};
    const Evaluated moved = Evaluate(numbers, copy);
    if (!moved.ok() || !moved.value().has_value() || moved.value()->is_float()) return std::nullopt;
    Track track;
    for (const int64_t i : moved.value()->ints()) {
      if (i < 0 || i >= static_cast<int64_t>(all.pixel.size())) return std::nullopt;
      track.pixel.push_back(all.pixel[static_cast<size_t>(i)]);
      track.scale.push_back(all.scale[static_cast<size_t>(i)]);
      track.shift.push_back(all.shift[static_cast<size_t>(i)]);
    }
    return track;
  }

  static void Append(const Track& from, Track& to) {
    to.pixel.insert(to.pixel.end(), from.pixel.begin(), from.pixel.end());
    to.scale.insert(to.scale.end(), from.scale.begin(), from.scale.end());
    to.shift.insert(to.shift.end(), from.shift.begin(), from.shift.end());
  }

  // The track of arithmetic with a constant.
  std::optional<Track> Scaled(const Node& node) const {
    const size_t activation = ActivationOf(node);
    if (node.inputs.size() < 2) return std::nullopt;
    const Track* input = TrackOf(node.inputs[activation]);
    if (input == nullptr) return std::nullopt;
    const Shape& shape = graph_.value(node.inputs[activation]).shape;
    if (graph_.value(node.outputs[0]).shape != shape) return std::nullopt;
    Track track = *input;
    if (node.op == OpKind::kBatchNormalization) return Normalized(node, shape, std::move(track));
    const std::vector<float>* constant = ConstantFloats(graph_, node, 1 - activation);
    if (constant == nullptr || (activation == 1 && node.op == OpKind::kDiv)) return std::nullopt;
    const Shape& own = graph_.ConstantInput(node, 1 - activation)->shape;
    if (Broadcast(own, shape) != shape) return std::nullopt;
    const std::vector<float> numbers = ReadBox(*constant, shape, {0, BroadcastStrides(own, shape)});
    for (size_t i = 0; i < numbers.size(); ++i) {
      const double number = numbers[i];
      if (node.op == OpKind::kAdd) {
        track.shift[i] += number;
      } else if (node.op == OpKind::kSub) {
        const double sign = activation == 0 ? 1 : -1;
        track.scale[i] *= sign;
        track.shift[i] = sign * (track.shift[i] - number);
      } else {
        const double factor = node.op == OpKind::kMul ? number : 1 / number;
        track.scale[i] *= factor;
        track.shift[i] *= factor;
      }
    }
    return track;
  }

  // The track of a BatchNormalization with constant parameters.
  std::optional<Track> Normalized(const Node& node, const Shape& shape, Track track) const {
    const std::vector<float>* parameters[4];  // scale, bias, mean, variance
    for (size_t i = 0; i < 4; ++i) {
      parameters[i] = ConstantFloats(graph_, node, i + 1);
      if (parameters[i] == nullptr || static_cast<int64_t>(parameters[i]->size()) != shape[1]) {
        return std::nullopt;
      }
    }
    if (node.Int("training_mode", 0) != 0) return std::nullopt;
    const double epsilon = node.Float("epsilon", 1e-5F);
    const auto positions = static_cast<size_t>(ElementCount(shape) / shape[1]);
    for (size_t i = 0; i < track.scale.size(); ++i) {
      const size_t c = i / positions;
      const double factor = (*parameters[0])[c] / std::sqrt((*parameters[3])[c] + epsilon);
      track.scale[i] *= factor;
      track.shift[i] = (track.shift[i] - (*parameters[2])[c]) * factor + (*parameters[1])[c];
    }
    return track;
  }

  // True when all readers that are not tracked themselves see every pixel alike.
  bool HasOneUse() {
    uses_.assign(tracks_[graph_.input].pixel.size(), {});
    for (const Node& node : graph_.nodes) {
      if (!node.outputs.empty() && tracks_.contains(node.outputs[0])) continue;
      for (const ValueId id : node.inputs) {
        if (id != kNoValue && !AddUse(id)) return false;
      }
    }
    // A network that ends here would have no node left.
    return std::ranges::none_of(
        graph_.outputs, [&](const GraphOutput& output) { return tracks_.contains(output.value); });
  }

  bool AddUse(ValueId id) {
    const Track* track = TrackOf(id);
    if (track == nullptr) return true;
    for (size_t i = 0; i < track->pixel.size(); ++i) {
      PixelUse& use = uses_[static_cast<size_t>(track->pixel[i])];
      if (use.known && (use.scale != track->scale[i] || use.shift != track->shift[i])) return false;
      use = {track->scale[i], track->shift[i], true};
    }
    return true;
  }

  // One scale and shift for each channel, and a map of what the shift differs by within a channel;
  // false where scales differ.
  bool TakeChannels(const Shape& image, size_t channel_axis) {
    const auto channels = static_cast<size_t>(image[channel_axis]);
    const size_t positions = uses_.size() / channels;
    const auto pixel_at = [&](size_t c, size_t position) {
      return channel_axis == 3 ? position * channels + c : c * positions + position;
    };
    std::vector<float> map;
    bool differs = false;
    for (size_t c = 0; c < channels; ++c) {
      double scale = 1;  // of a channel that nothing reads
      double sum = 0;
      double count = 0;
      for (size_t p = 0; p < positions; ++p) {
        const PixelUse& use = uses_[pixel_at(c, p)];
        if (!use.known) continue;
        if (count > 0 && use.scale != scale) return false;
        scale = use.scale;
        sum += use.shift;
        ++count;
      }
      const double shift = sum / std::max(count, 1.0);
      if (!(scale > 0) || !std::isfinite(scale) || !std::isfinite(shift)) return false;
      scales_.push_back(scale);
      shifts_.push_back(shift);
      for (size_t p = 0; p < positions; ++p) {
        const PixelUse& use = uses_[pixel_at(c, p)];
        map.push_back(use.known ? static_cast<float>(use.shift - shift) : 0.0F);
        differs = differs || (use.known && std::abs(use.shift - shift) > kEqual * std::abs(shift));
      }
    }
    if (!differs) return true;
    const auto size = static_cast<int64_t>(channels);
    const Shape shape =
        channel_axis == 3 ? Shape{size, image[1], image[2]} : Shape{size, image[2], image[3]};
    map_ = std::make_shared<const Tensor>(Tensor{shape, std::move(map)});
    return true;
  }

  Graph& graph_;
  std::unordered_map<ValueId, Track> tracks_;
  std::vector<PixelUse> uses_;  // by pixel
  std::vector<double> scales_;
  std::vector<double> shifts_;
  std::shared_ptr<const Tensor> map_;
};

}  // namespace

Status FoldImage(Graph& graph) {
  const Shape& image = graph.value(graph.input).shape;
  if (image.size() != 4) return Status::Ok();
  return ImageFolder(graph).Run();
}

}  // namespace cssrun::converter
