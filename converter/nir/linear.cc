#include "converter/nir/linear.h"

#include <array>
#include <cmath>

#include "format/geometry.h"

namespace cssrun::converter {
namespace {

const NirProblem kDamaged = {"a field is missing or of a wrong shape", "export the model again"};
constexpr int64_t kMostSide = 1 << 14;

// A whole number or a pair of them, rows first; of one dimension, columns. Nothing if it is not.
std::optional<std::array<int64_t, 2>> Pair(const NirNode& node, const char* field, bool one_axis,
                                           int64_t absent, int64_t lowest) {
  const NirArray* array = node.Find(field);
  if (array == nullptr) return std::array<int64_t, 2>{one_axis ? lowest : absent, absent};
  const size_t size = array->numbers.size();
  if (size != 1 && (size != 2 || one_axis)) return std::nullopt;
  std::array<int64_t, 2> pair = {};
  for (size_t i = 0; i < 2; ++i) {
    const double number = array->numbers[size == 1 ? 0 : i];
    if (!(number >= static_cast<double>(lowest) && number <= kMostSide) ||
        number != std::floor(number)) {
      return std::nullopt;
    }
    pair.at(i) = static_cast<int64_t>(number);
  }
  if (one_axis) pair[0] = lowest;
  return pair;
}

struct Padding {
  std::array<int64_t, 2> before = {0, 0};
  std::array<int64_t, 2> after = {0, 0};
};

std::optional<Padding> PaddingOf(const NirNode& node, const std::array<int64_t, 2>& kernel,
                                 const std::array<int64_t, 2>& stride,
                                 const std::array<int64_t, 2>& dilation, bool one_axis) {
  Padding padding;
  if (const auto word = node.words.find("padding"); word != node.words.end()) {
    if (word->second == "valid") return padding;
    if (word->second != "same" || stride != std::array<int64_t, 2>{1, 1}) return std::nullopt;
    for (size_t i = 0; i < 2; ++i) {
      const int64_t both = (kernel.at(i) - 1) * dilation.at(i);
      padding.before.at(i) = both / 2;
      padding.after.at(i) = both - both / 2;
    }
    return padding;
  }
  const auto pair = Pair(node, "padding", one_axis, 0, 0);
  if (!pair.has_value()) return std::nullopt;
  padding.before = *pair;
  padding.after = *pair;
  return padding;
}

// The window of a node, whose kernel is known; nothing if the node's fields are wrong.
std::optional<format::Window> WindowOf(const NirNode& node, const std::array<int64_t, 2>& kernel,
                                       bool one_axis) {
  const bool pools = node.type == "SumPool2d" || node.type == "AvgPool2d";
  auto stride = Pair(node, "stride", one_axis, 1, 1);
  if (pools && node.Find("stride") == nullptr) stride = kernel;
  const auto dilation = Pair(node, "dilation", one_axis, 1, 1);
  if (!stride.has_value() || !dilation.has_value()) return std::nullopt;
  const auto padding = PaddingOf(node, kernel, *stride, *dilation, one_axis);
  if (!padding.has_value()) return std::nullopt;
  const auto narrow = [](int64_t x) { return static_cast<int32_t>(x); };
  return format::Window(narrow(kernel[0]), narrow(kernel[1]), narrow((*stride)[0]),
                        narrow((*stride)[1]), narrow(padding->before[0]),
                        narrow(padding->before[1]), narrow(padding->after[0]),
                        narrow(padding->after[1]), narrow((*dilation)[0]), narrow((*dilation)[1]));
}

// The extent that a window leaves of a map; nothing if it does not fit.
std::optional<format::Extent> Windowed(const format::Window& window, uint32_t channels,
                                       const format::Extent& map) {
  const int64_t rows = format::WindowRows(window, map.height());
  const int64_t columns = format::WindowColumns(window, map.width());
  if (rows < 1 || columns < 1 || rows > kMostSide || columns > kMostSide) return std::nullopt;
  return format::Extent(channels, static_cast<uint32_t>(rows), static_cast<uint32_t>(columns));
}

// The bias, one number per channel; false if it is of another size.
bool GetBias(const NirNode& node, uint32_t channels, std::vector<double>& bias) {
  const NirArray* array = node.Find("bias");
  if (array == nullptr) return true;
  if (array->numbers.size() != channels) return false;
  for (const double number : array->numbers) {
    if (number != 0) bias = array->numbers;
  }
  return true;
}

std::optional<NirProblem> FollowConv(const NirNode& node, Flow& flow) {
  const NirArray* weight = node.Find("weight");
  const bool one_axis = node.type == "Conv1d";
  const size_t rank = one_axis ? 3 : 4;
  if (weight == nullptr || weight->shape.size() != rank || weight->numbers.empty()) return kDamaged;
  const auto groups = Pair(node, "groups", true, 1, 1);
  const std::array<int64_t, 2> kernel = {one_axis ? 1 : weight->shape[2], weight->shape[rank - 1]};
  if (!groups.has_value() || kernel[0] > kMostSide || kernel[1] > kMostSide) return kDamaged;
  const auto window = WindowOf(node, kernel, one_axis);
  if (!window.has_value()) return kDamaged;
  const int64_t group_count = (*groups)[1];
  const int64_t sources = weight->shape[1] * group_count;
  if (sources != flow.extent.channels() || weight->shape[0] % group_count != 0 ||
      weight->shape[0] > 1 << 16) {
    return NirProblem{"its weights take " + std::to_string(sources) + " channels and get " +
                          std::to_string(flow.extent.channels()),
                      "export the model again"};
  }
  const auto extent = Windowed(*window, static_cast<uint32_t>(weight->shape[0]), flow.extent);
  if (!extent.has_value()) return NirProblem{"its window does not fit", "export the model again"};
  if (!GetBias(node, extent->channels(), flow.bias)) return kDamaged;
  flow.has_weights = true;
  flow.window = *window;
  flow.groups = static_cast<uint32_t>(group_count);
  flow.weights = weight->numbers;
  flow.extent = *extent;
  return std::nullopt;
}

// A full matrix is a convolution whose kernel is the whole map.
std::optional<NirProblem> FollowAffine(const NirNode& node, Flow& flow) {
  const NirArray* weight = node.Find("weight");
  if (weight == nullptr || weight->shape.size() != 2 || weight->numbers.empty()) return kDamaged;
  if (!flow.flat && format::Positions(flow.extent) != 1) {
    return NirProblem{"it takes a vector and gets a map", "put a Flatten before it"};
  }
  const uint64_t sources = format::Neurons(flow.extent);
  if (static_cast<uint64_t>(weight->shape[1]) != sources || weight->shape[0] > 1 << 16) {
    return NirProblem{"its weights take " + std::to_string(weight->shape[1]) + " numbers and get " +
                          std::to_string(sources),
                      "export the model again"};
  }
  const auto channels = static_cast<uint32_t>(weight->shape[0]);
  if (!GetBias(node, channels, flow.bias)) return kDamaged;
  flow.has_weights = true;
  flow.window = format::Window(static_cast<int32_t>(flow.extent.height()),
                               static_cast<int32_t>(flow.extent.width()), 1, 1, 0, 0, 0, 0, 1, 1);
  flow.groups = 1;
  flow.weights = weight->numbers;
  flow.extent = format::Extent(channels, 1, 1);
  return std::nullopt;
}

std::optional<NirProblem> FollowPool(const NirNode& node, Flow& flow) {
  if (node.Find("kernel_size") == nullptr) return kDamaged;
  const auto kernel = Pair(node, "kernel_size", false, 1, 1);
  if (!kernel.has_value()) return kDamaged;
  const auto window = WindowOf(node, *kernel, false);
  if (!window.has_value()) return kDamaged;
  const auto extent = Windowed(*window, flow.extent.channels(), flow.extent);
  if (!extent.has_value()) return NirProblem{"its window does not fit", "export the model again"};
  flow.pool = *window;
  flow.seen = *extent;
  flow.extent = *extent;
  if (node.type == "AvgPool2d") {
    flow.scale[0] = 1 / static_cast<double>((*kernel)[0] * (*kernel)[1]);
  }
  return std::nullopt;
}

std::optional<NirProblem> FollowScale(const NirNode& node, Flow& flow) {
  const NirArray* scale = node.Find("scale");
  if (scale == nullptr || scale->numbers.empty()) return kDamaged;
  const std::vector<double> numbers = Compressed(scale->numbers, flow.extent);
  if (numbers.size() != 1 && numbers.size() != flow.extent.channels()) {
    return NirProblem{"it scales the neurons of a channel differently",
                      "scale channels, or put the scale into the weights"};
  }
  std::vector<double> product(std::max(numbers.size(), flow.scale.size()));
  for (size_t i = 0; i < product.size(); ++i) {
    product[i] = numbers[numbers.size() == 1 ? 0 : i] * flow.scale[flow.scale.size() == 1 ? 0 : i];
  }
  flow.scale = std::move(product);
  return std::nullopt;
}

std::optional<NirProblem> FollowFlatten(const NirNode& node, Flow& flow) {
  const auto dimension = [&](const char* field, int64_t absent) {
    const NirArray* array = node.Find(field);
    return array == nullptr || array->numbers.empty() ? static_cast<double>(absent)
                                                      : array->numbers[0];
  };
  // Who counts a batch begins at 1, whether the shape has it or not. If dimensions were meant to be
  // left, the sizes of what follows do not fit.
  const NirArray* shape = node.Find("input_type");
  const size_t rank = shape == nullptr ? 3 : shape->numbers.size();
  const double first = dimension("start_dim", 0);
  const double last = dimension("end_dim", -1);
  const bool all = (first == 0 || first == 1 || -first == static_cast<double>(rank)) &&
                   (last == -1 || last + 1 >= static_cast<double>(rank));
  if (!all) {
    return NirProblem{"it flattens some dimensions and not all", "flatten all with start_dim 0"};
  }
  flow.flat = true;
  return std::nullopt;
}

}  // namespace

bool CanFollow(const std::string& type, const Flow& flow) {
  if (type == kNirPass || type == "Flatten") return true;
  if (type == "SumPool2d" || type == "AvgPool2d") {
    return !flow.has_weights && !flow.pool.has_value() && flow.scale.size() == 1 &&
           flow.scale[0] == 1;
  }
  return !flow.has_weights;
}

std::optional<NirProblem> Follow(const NirNode& node, Flow& flow) {
  if (node.type == "Conv1d" || node.type == "Conv2d") return FollowConv(node, flow);
  if (node.type == "Affine" || node.type == "Linear") return FollowAffine(node, flow);
  if (node.type == "SumPool2d" || node.type == "AvgPool2d") return FollowPool(node, flow);
  if (node.type == "Scale") return FollowScale(node, flow);
  return FollowFlatten(node, flow);
}

}  // namespace cssrun::converter
