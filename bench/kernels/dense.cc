// Measures oneDNN's float convolution on the layers of BM_Layer, in multiply-accumulates a second:
// the work that the dense ANN does in one pass.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>

#include "kernels/layer_shapes.h"
#include "kernels/report.h"

namespace cssrun::internal {
namespace {

void BM_Dense(benchmark::State& state) {
  using dnnl::memory;
  const LayerShape s(state);
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::dim side = s.side;
  const memory::dim kernel = s.kernel;
  const memory::dim pad = kernel / 2;
  const auto any = [](const memory::dims& dims) {
    return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
  };
  const dnnl::convolution_forward::desc description(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      any({1, s.sources, side, side}), any({s.targets, s.sources, kernel, kernel}),
      any({1, s.targets, side, side}), {1, 1}, {pad, pad}, {pad, pad});
  const dnnl::convolution_forward::primitive_desc chosen(description, engine);
  memory source(chosen.src_desc(), engine);
  memory weights(chosen.weights_desc(), engine);
  memory target(chosen.dst_desc(), engine);
  for (memory* m : {&source, &weights, &target}) {
    auto* values = static_cast<float*>(m->get_data_handle());
    std::fill_n(values, m->get_desc().get_size() / sizeof(float), 0.01F);
  }
  const dnnl::convolution_forward convolution(chosen);
  for (auto _ : state) {
    convolution.execute(
        stream, {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, target}});
    stream.wait();
  }
  Report(state, static_cast<double>(side * side * kernel * kernel) * s.sources * s.targets,
         "MAC/s");
}

void DenseShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"side", "from", "to", "kernel"});
  for (const auto& s : kLayerShapes) benchmark->Args({s[0], s[1], s[2], s[3]});
  benchmark->Args({1, 4096, 4096, 1});
}

BENCHMARK(BM_Dense)->Apply(DenseShapes);

}  // namespace
}  // namespace cssrun::internal
