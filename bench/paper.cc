// Runs the paper's experiments on any model and folder of images. bench/paper.py draws the JSON
// that it prints.
//
//   bench_paper MODEL.onnx --calibration DIR --test DIR [--mean r,g,b] [--std r,g,b]
//               [--labels FILE] [--images N] [--quantized MODEL.onnx]
//
// The ANN runs once; every setting is converted from its activations and run in process. Accuracy
// is that of the integer engine, which users run, unless it cannot run a setting. The inside of
// neurons (figures 2 and 3) is recorded from the float engine, which rounds nothing but the code
// itself.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>

#include "bench/paper/experiments.h"
#include "bench/paper/figures.h"
#include "bench/paper/json.h"
#include "bench/paper/tables.h"
#include "cssrun/version.h"
#include "tools/args.h"

namespace cssrun::paper {
namespace {

int Run(int argc, char** argv) {
  CLI::App app("The paper's experiments, as JSON.", "bench_paper");
  Arguments arguments;
  app.add_option("MODEL", arguments.model, "ONNX model")->required();
  app.add_option("--calibration", arguments.calibration, "folder of images")->required();
  app.add_option("--test", arguments.test, "folder of other images")->required();
  app.add_option("--mean", arguments.mean, "as cssconvert")->delimiter(',');
  app.add_option("--std", arguments.stddev, "as cssconvert")->delimiter(',');
  app.add_option("--labels", arguments.labels, "as cssconvert");
  app.add_option("--quantized", arguments.quantized, "the same network, quantized, for table 3");
  app.add_option("--images", arguments.images, "of the test images, at most (500)")
      ->check(CLI::Range(1, 1000000));
  tools::Prepare(app, "  bench_paper model.onnx --calibration images/ --test other/");
  if (const auto exit = tools::Parse(app, argc, argv); exit.has_value()) return *exit;

  const Experiments e(arguments.model, arguments);
  std::unique_ptr<Experiments> quantized;
  if (!arguments.quantized.empty()) {
    quantized = std::make_unique<Experiments>(arguments.quantized, arguments);
  }
  Json json;
  json["model"] = arguments.model;
  json["images"] = e.images();
  json["accuracy"] = e.graded() ? "share of right answers" : "share of answers as the ANN's";
  json["ann_top1"] = e.graded() ? Json(e.ann_top1()) : Json();
  json["macs_per_image"] = e.macs();
  json["version"] = Version();
  json["simd_target"] = SimdTarget();
  json["tables"] = Tables(e, quantized.get());
  json["figures"] = Figures(e);
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\n");
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  return 0;
}

}  // namespace
}  // namespace cssrun::paper

int main(int argc, char** argv) {
  try {
    return cssrun::paper::Run(argc, argv);
  } catch (const std::exception& error) {  // images and JSON may be more than memory holds
    std::cerr << "bench_paper: " << error.what() << "\n";
    return 1;
  }
}
