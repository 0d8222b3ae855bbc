// Builds the plan of a network in 8-bit integers, group by group; the private part of
// onednn_int8.h.
//
// An activation x is stored as q = round(x / scale), in -128 .. 127 or, behind a ReLU, in 0 .. 255.
// A layer computes
//
//     q_out = saturate(s_in * s_w / s_out * (sum(q_in * q_w) + bias / (s_in * s_w))
//                      + s_other / s_out * q_other)
//
// in one primitive; q_other is the other term of a residual sum, in the memory of the result. The
// lower limit of an unsigned result is the ReLU, and its upper one the bound of a Clip, because the
// scale comes from the largest activation behind it.
#ifndef CSSRUN_BENCH_OPPONENTS_INT8_BUILDER_H_
#define CSSRUN_BENCH_OPPONENTS_INT8_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/graph.h"
#include "converter/window.h"
#include "cssrun/status.h"

namespace cssrun::bench {

class Int8Builder {
 public:
  // magnitudes: by ValueId, the largest of the image and of every value that a group makes. `graph`
  // must outlive the builder. All functions may throw oneDNN's exceptions.
  Int8Builder(const converter::Graph& graph, std::vector<float> magnitudes);

  Status Add(const converter::DenseGroup& group);
  Result<std::unique_ptr<converter::DensePlan>> Finish() { return builder_.Finish(); }

 private:
  using Type = dnnl::memory::data_type;

  // How an activation is stored.
  struct Code {
    Type type = Type::undef;
    float scale = 1;  // of one unit; 1 for float
  };
  // The weights of a layer as oneDNN takes them.
  struct Weights {
    dnnl::memory::dims dims;  // as oneDNN sees them
    std::vector<int8_t> values;
    std::vector<float> scales;  // by channel of the output
  };

  Code& CodeOf(converter::ValueId id) { return codes_[static_cast<size_t>(id)]; }
  void ChooseCode(converter::ValueId id, bool rectified);
  Weights Quantize(const converter::Node& node, dnnl::memory::dims dims) const;
  std::optional<converter::ValueId> OtherTerm(const converter::DenseGroup& group) const;
  dnnl::primitive_attr Attributes(const converter::DenseGroup& group, const Weights& weights);
  size_t SlotAs(converter::ValueId id, const dnnl::memory::desc& desc);
  template <typename PrimitiveDesc>
  void AddLayer(const converter::DenseGroup& group, const PrimitiveDesc& primitive,
                const Weights& weights);
  void MakeResult(const converter::DenseGroup& group, size_t slot);

  Status AddConv(const converter::DenseGroup& group);
  Status AddGemm(const converter::DenseGroup& group);
  // Convolves with these weights and the bias that the group's leader may have.
  void AddConvolution(const converter::DenseGroup& group, const Weights& weights,
                      const converter::Window& window);
  Status AddSum(const converter::DenseGroup& group);
  Status AddGlobalMean(const converter::DenseGroup& group);
  Status AddPool(const converter::Node& node, dnnl::algorithm kind);
  Status AddRectifier(const converter::Node& node);
  Status AddSlice(const converter::Node& node);
  Status AddPad(const converter::Node& node);

  const converter::Graph& graph_;
  const std::vector<float> magnitudes_;
  std::vector<bool> is_answer_;  // by ValueId: it leaves the network, in float
  std::vector<Code> codes_;      // by ValueId
  converter::DenseBuilder builder_;
  std::optional<size_t> image_slot_;  // the image in 8 bits
};

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_OPPONENTS_INT8_BUILDER_H_
