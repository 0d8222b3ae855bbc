#include "bench/opponents/dense_steps.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <utility>

#include "format/geometry.h"

namespace cssrun::bench {
namespace {

using dnnl::memory;
using Type = memory::data_type;

// The neurons' loops, for the machine's vectors.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CSSRUN_BENCH_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define CSSRUN_BENCH_CLONES
#endif

// v += x; spikes and resets. Spikes are written as floats or as bytes.
CSSRUN_BENCH_CLONES void FireSeveral(const float* x, float* v, float threshold, float floor,
                                     size_t count, float* spikes) {
  for (size_t i = 0; i < count; ++i) {
    float potential = v[i] + x[i];
    const float sent = std::floor(std::max(potential, 0.0F) / threshold);
    potential -= sent * threshold;
    v[i] = std::max(potential, floor);
    spikes[i] = sent;
  }
}
CSSRUN_BENCH_CLONES void FireOne(const float* x, float* v, float threshold, float floor,
                                 size_t count, float* spikes) {
  for (size_t i = 0; i < count; ++i) {
    float potential = v[i] + x[i];
    const float sent = potential > threshold ? 1.0F : 0.0F;
    potential -= sent * threshold;
    v[i] = std::max(potential, floor);
    spikes[i] = sent;
  }
}
CSSRUN_BENCH_CLONES void ToBytes(const float* spikes, size_t count, uint8_t* bytes) {
  for (size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<uint8_t>(static_cast<int>(std::min(spikes[i], 255.0F)));
  }
}
// Adds one member of each window of a row of windows, `step` bytes apart: of all channels.
template <size_t kChannels>
inline void AddMembers(const uint8_t* from, size_t step, size_t windows, uint8_t* to) {
  for (size_t x = 0; x < windows; ++x, from += step, to += kChannels) {
    for (size_t i = 0; i < kChannels; ++i) {
      to[i] = static_cast<uint8_t>(std::min(to[i] + from[i], 255));
    }
  }
}
CSSRUN_BENCH_CLONES void AddRow(const uint8_t* from, size_t step, size_t windows, size_t channels,
                                uint8_t* to) {
  if (channels == 8) return AddMembers<8>(from, step, windows, to);
  if (channels == 16) return AddMembers<16>(from, step, windows, to);
  if (channels == 32) return AddMembers<32>(from, step, windows, to);
  for (size_t x = 0; x < windows; ++x, from += step, to += channels) {
    for (size_t i = 0; i < channels; ++i) {
      to[i] = static_cast<uint8_t>(std::min(to[i] + from[i], 255));
    }
  }
}

memory::dims Dims(const format::Extent& e) { return {1, e.channels(), e.height(), e.width()}; }

struct Layer {
  format::Extent extent;
  format::Extent from;
  format::Extent seen;  // `from` after the pool
  format::Window pool;
  bool pools = false;
  float threshold = 1;
  float floor = 0;
  bool several = false;
  memory source;  // what the convolution reads
  memory pooled_from;
  memory target;
  memory spikes;
  std::vector<float> potentials;
  std::vector<std::pair<dnnl::primitive, std::unordered_map<int, memory>>> work;
};

bool Alike(const flatbuffers::Vector<double>* numbers, double value) {
  return numbers != nullptr &&
         std::all_of(numbers->begin(), numbers->end(), [&](double x) { return x == value; });
}

}  // namespace

struct DenseSteps::Chain {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  bool int8 = false;
  format::Extent input;
  memory input_memory;
  std::vector<Layer> layers;
  std::vector<uint64_t> counts;

  memory::desc Describe(const format::Extent& e, Type type) const {
    return {Dims(e), type, int8 ? memory::format_tag::nhwc : memory::format_tag::any};
  }

  // Weights in 8 bits share one scale, in which they are rounded.
  memory Weights(const format::EventSynapses& s, const memory::desc& wanted, float factor,
                 bool grouped, const memory::dims& dims) {
    std::vector<float> values(s.weights()->begin(), s.weights()->end());
    for (float& value : values) value *= factor;
    const auto tag = grouped ? memory::format_tag::goihw : memory::format_tag::oihw;
    const memory plain({dims, Type::f32, tag}, engine, values.data());
    memory weights(wanted, engine);
    dnnl::reorder(plain, weights).execute(stream, const_cast<memory&>(plain), weights);
    stream.wait();
    return weights;
  }

  void AddPool(Layer& layer, const memory& from) {
    layer.pooled_from = from;
    if (int8) {
      layer.source = memory(Describe(layer.seen, Type::u8), engine);
      return;
    }
    const format::Window& w = layer.pool;
    const dnnl::pooling_forward::desc pooling(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_avg_include_padding,
        from.get_desc(), {Dims(layer.seen), Type::f32, memory::format_tag::any},
        {w.stride_y(), w.stride_x()}, {w.kernel_y(), w.kernel_x()}, {w.pad_top(), w.pad_left()},
        {w.pad_bottom(), w.pad_right()});
    const dnnl::pooling_forward::primitive_desc chosen(pooling, engine);
    layer.source = memory(chosen.dst_desc(), engine);
    layer.work.push_back(
        {dnnl::pooling_forward(chosen), {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, layer.source}}});
  }

  void AddConvolution(const format::EventSynapses& s, Layer& layer) {
    const format::Window& w = *s.window();
    const memory::dim groups = s.groups();
    memory::dims dims = {layer.extent.channels(), layer.seen.channels() / groups, w.kernel_y(),
                         w.kernel_x()};
    if (groups > 1) {
      dims[0] /= groups;
      dims.insert(dims.begin(), groups);
    }
    const dnnl::convolution_forward::desc description(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
        Describe(layer.seen, int8 ? Type::u8 : Type::f32),
        {dims, int8 ? Type::s8 : Type::f32, memory::format_tag::any},
        Describe(layer.extent, Type::f32), {w.stride_y(), w.stride_x()},
        {w.dilation_y() - 1, w.dilation_x() - 1}, {w.pad_top(), w.pad_left()},
        {w.pad_bottom(), w.pad_right()});
    float factor = 1;
    dnnl::primitive_attr attributes;
    if (int8) {
      float largest = 1e-30F;
      for (const float weight : *s.weights()) largest = std::max(largest, std::abs(weight));
      factor = 127 / largest;
      attributes.set_output_scales(0, {1 / factor});
    } else if (layer.pools) {
      factor = static_cast<float>(layer.pool.kernel_y() * layer.pool.kernel_x());
    }
    const dnnl::convolution_forward::primitive_desc chosen(description, attributes, engine);
    if (!layer.source || layer.source.get_desc() != chosen.src_desc()) {
      const memory other(chosen.src_desc(), engine);
      if (layer.source) {
        layer.work.push_back({dnnl::reorder(layer.source, other),
                              {{DNNL_ARG_FROM, layer.source}, {DNNL_ARG_TO, other}}});
      }
      layer.source = other;
    }
    layer.target = memory(chosen.dst_desc(), engine);
    const memory weights = Weights(s, chosen.weights_desc(), factor, groups > 1, dims);
    layer.work.push_back({dnnl::convolution_forward(chosen),
                          {{DNNL_ARG_SRC, layer.source},
                           {DNNL_ARG_WEIGHTS, weights},
                           {DNNL_ARG_DST, layer.target}}});
    layer.spikes = memory(int8 ? Describe(layer.extent, Type::u8) : chosen.dst_desc(), engine);
    layer.potentials.assign(layer.target.get_desc().get_size() / sizeof(float), 0.0F);
    fired.resize(std::max(fired.size(), layer.potentials.size()));
  }

  // Sums of bytes over windows, in [row][column][channel].
  static void PoolBytes(const Layer& layer) {
    const auto* from = static_cast<const uint8_t*>(layer.pooled_from.get_data_handle());
    auto* to = static_cast<uint8_t*>(layer.source.get_data_handle());
    const size_t channels = layer.seen.channels();
    std::fill_n(to, format::Neurons(layer.seen), uint8_t{0});
    const format::Window& w = layer.pool;
    const int64_t stride = w.stride_x();
    for (int64_t row = 0; row < layer.seen.height(); ++row, to += layer.seen.width() * channels) {
      for (int64_t ky = 0; ky < w.kernel_y(); ++ky) {
        const int64_t y = row * w.stride_y() - w.pad_top() + ky;
        if (y < 0 || y >= layer.from.height()) continue;
        for (int64_t kx = 0; kx < w.kernel_x(); ++kx) {
          // Of the windows, those with this member inside of the map.
          const int64_t before = w.pad_left() - kx;
          const int64_t first = before > 0 ? (before + stride - 1) / stride : 0;
          const int64_t reach = layer.from.width() + before;
          const int64_t end = std::min<int64_t>((reach + stride - 1) / stride, layer.seen.width());
          if (reach <= 0 || first >= end) continue;
          const int64_t x = first * stride - before;
          AddRow(from + static_cast<size_t>(y * layer.from.width() + x) * channels,
                 static_cast<size_t>(stride) * channels, static_cast<size_t>(end - first), channels,
                 to + static_cast<size_t>(first) * channels);
        }
      }
    }
  }

  void Run(Layer& layer) {
    if (layer.pools && int8) PoolBytes(layer);
    for (auto& [primitive, arguments] : layer.work) primitive.execute(stream, arguments);
    stream.wait();
    const auto* x = static_cast<const float*>(layer.target.get_data_handle());
    auto* spikes = int8 ? fired.data() : static_cast<float*>(layer.spikes.get_data_handle());
    const size_t count = layer.potentials.size();
    const auto fire = layer.several ? FireSeveral : FireOne;
    fire(x, layer.potentials.data(), layer.threshold, layer.floor, count, spikes);
    if (int8) ToBytes(spikes, count, static_cast<uint8_t*>(layer.spikes.get_data_handle()));
  }

  std::vector<float> fired;
};

DenseSteps::DenseSteps(std::unique_ptr<Chain> chain) : chain_(std::move(chain)) {}
DenseSteps::DenseSteps(DenseSteps&&) noexcept = default;
DenseSteps::~DenseSteps() = default;

Result<DenseSteps> DenseSteps::Make(const format::EventNetwork& network, bool int8) {
  auto chain = std::make_unique<Chain>();
  chain->int8 = int8;
  chain->input = *network.nodes()->Get(0)->extent();
  // A plain map; the first layer reorders it if it wants another order.
  chain->input_memory = memory({Dims(chain->input), int8 ? Type::u8 : Type::f32,
                                int8 ? memory::format_tag::nhwc : memory::format_tag::nchw},
                               chain->engine);
  memory before = chain->input_memory;
  for (uint32_t i = 1; i < network.nodes()->size(); ++i) {
    const format::EventNode& node = *network.nodes()->Get(i);
    const bool simple = node.synapses()->size() == 1 &&
                        node.synapses()->Get(0)->source() + 1 == i && Alike(node.decay(), 1) &&
                        Alike(node.gain(), 1) && Alike(node.drive(), 0) &&
                        node.sending() == format::EventSending::Spikes &&
                        node.reset() == format::EventReset::Subtract &&
                        Alike(node.threshold(), node.threshold()->Get(0));
    if (!simple) {
      return Status::InvalidArgument(node.name()->str() +
                                     ": no layer that the dense run knows; see dense_steps.h");
    }
    const format::EventSynapses& s = *node.synapses()->Get(0);
    Layer layer;
    layer.extent = *node.extent();
    layer.from = *network.nodes()->Get(i - 1)->extent();
    layer.seen = layer.from;
    layer.threshold = static_cast<float>(node.threshold()->Get(0));
    layer.several = node.several();
    layer.floor = node.floor() == nullptr ? -1e30F : static_cast<float>(node.floor()->Get(0));
    layer.source = before;
    if (s.pool() != nullptr) {
      layer.pools = true;
      layer.pool = *s.pool();
      layer.seen = format::Extent(
          layer.from.channels(),
          static_cast<uint32_t>(format::WindowRows(layer.pool, layer.from.height())),
          static_cast<uint32_t>(format::WindowColumns(layer.pool, layer.from.width())));
      chain->AddPool(layer, before);
    }
    chain->AddConvolution(s, layer);
    before = layer.spikes;
    chain->layers.push_back(std::move(layer));
  }
  chain->counts.resize(format::Neurons(chain->layers.back().extent));
  return DenseSteps(std::move(chain));
}

void DenseSteps::Reset() {
  for (Layer& layer : chain_->layers) {
    std::fill(layer.potentials.begin(), layer.potentials.end(), 0.0F);
  }
  std::fill(chain_->counts.begin(), chain_->counts.end(), 0);
}

void DenseSteps::Step(std::span<const TimedEvent> events) {
  const format::Extent& e = chain_->input;
  const size_t size = format::Neurons(e);
  const size_t positions = format::Positions(e);
  if (chain_->int8) {
    auto* to = static_cast<uint8_t*>(chain_->input_memory.get_data_handle());
    std::fill_n(to, size, uint8_t{0});
    for (const TimedEvent& event : events) {
      ++to[event.address % positions * e.channels() + event.address / positions];
    }
  } else {
    auto* to = static_cast<float*>(chain_->input_memory.get_data_handle());
    std::fill_n(to, size, 0.0F);
    for (const TimedEvent& event : events) to[event.address] += event.value;
  }
  for (Layer& layer : chain_->layers) chain_->Run(layer);
  // One position: the channels lie one after another in every layout.
  Layer& last = chain_->layers.back();
  for (size_t i = 0; i < chain_->counts.size(); ++i) {
    const void* spikes = last.spikes.get_data_handle();
    chain_->counts[i] += chain_->int8 ? static_cast<const uint8_t*>(spikes)[i]
                                      : static_cast<uint64_t>(static_cast<const float*>(spikes)[i]);
  }
}

std::vector<uint64_t> DenseSteps::Counts() const { return chain_->counts; }

}  // namespace cssrun::bench
