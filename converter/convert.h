// The converter: takes an ONNX model and calibration images, and returns the bytes of net.fb and a
// report.
#ifndef CSSRUN_CONVERTER_CONVERT_H_
#define CSSRUN_CONVERTER_CONVERT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "converter/amplitudes.h"
#include "converter/ann_run.h"
#include "converter/calibrate.h"
#include "converter/code_settings.h"
#include "converter/compare.h"
#include "converter/graph.h"
#include "converter/input_size.h"
#include "converter/spiking.h"
#include "cssrun/network.h"
#include "cssrun/status.h"
#include "flatbuffers/flatbuffers.h"

namespace cssrun::converter {

struct ConvertOptions {
  CodeSettings code;
  AmplitudeSettings amplitudes;
  std::vector<float> mean;  // of pixel / 255, one per channel
  std::vector<float> stddev;
  // How pictures become the model's images, of the model's own size and without mean and stddev;
  // nothing: as Model::input has it.
  std::optional<InputFormat> pictures;
  std::vector<std::string> labels;  // one per logit, or none
  unsigned threads = 0;             // for running the converted network; 0: all cores
  // What the outputs are; nothing: classes where the model has one output, a vector.
  std::optional<AnswerKind> answer;
  // Choose the code by measurement on the calibration images; nothing: `code` is taken as it is.
  // Then `code` is a result, and for Goal::kEnergy `amplitudes.rule`, too.
  std::optional<CodeSearch> search;
  NetworkLimits limits;  // the limits that LoadModel() was given
};

// A model that is ready to be calibrated: it was read and simplified, and all of it is supported.
struct Model {
  std::string path;
  std::string sha256;
  Graph graph;
  // The format that images must have; mean and stddev are still empty.
  InputFormat input;
  AnswerKind answer = AnswerKind::kClasses;  // what the outputs look like
  size_t classes = 0;                        // numbers of all outputs
  // A quantized model's own code, with as many steps as its activations have bits.
  std::optional<CodeSettings> quantized_code;
};

// The parts of a conversion that do not depend on the settings of the code.
struct PreparedModel {
  InputFormat input;
  SpikingNetwork network;
  Calibration calibration;
};

// Makes what the model does to its image first a part of the normalization of the pixels:
//
//     scale * (pixel - mean) / stddev + shift = (pixel - mean') / stddev'
void FoldIntoNormalization(const Graph& graph, InputFormat& input);

struct LayerReport {
  std::string name;
  LayerKind kind = LayerKind::kNeurons;
  uint64_t neurons = 0;
  double theta = 0;
  ActivationRange range;
  uint32_t offset = 0;
  std::vector<uint32_t> delays;  // of the node's synapses, in order
  uint64_t fan_in = 0;
  double error = 0;  // of its trains against the ANN, see LayerErrors()
};

// A setting on the frontier: the search found no cheaper one that agrees as well.
struct FrontierPoint {
  CodeSettings code;
  AmplitudeSettings amplitudes;
  size_t changes = 0;              // number of changed amplitudes and thresholds
  double agreement = 0;            // on the half of the images that the search used
  double confirmed_agreement = 0;  // on the other half
  double expected_agreement = 0;   // on the other half, see Comparison
  double relative_logit_error = 0;
  double synops_per_image = 0;
  double direct_macs_per_image = 0;
  bool chosen = false;
};

// A code that was measured where the user named none.
struct TriedCode {
  CodeSettings code;
  double expected_agreement = 0;  // see Comparison
  double expected_ms = 0;         // of an image on one thread of this machine, see cost.h
  uint32_t latency_steps = 0;
  bool chosen = false;
  bool in_integers = true;  // the integer engine runs it
};

struct ConversionReport {
  std::string model;
  AnswerKind answer = AnswerKind::kClasses;
  CodeSettings code;
  AmplitudeSettings amplitudes;
  uint32_t latency_steps = 0;
  uint64_t macs_per_image = 0;
  std::vector<LayerReport> layers;
  std::optional<CodeSearch> search;      // what the code was chosen for; nothing: it was named
  std::vector<TriedCode> tried;          // what was measured for speed or latency; else empty
  std::vector<FrontierPoint> frontier;   // the cheapest first; empty without a search
  Comparison calibration;                // on the calibration images
  std::string why_float;                 // why the file asks for the float engine; "" where not
  std::vector<std::string> warnings;     // what the user should know before using the network
  std::optional<Comparison> validation;  // on images that the conversion did not use
};

struct Conversion {
  flatbuffers::DetachedBuffer bytes;
  ConversionReport report;
};

// Receives the stage and progress of a conversion, for a progress bar.
using StageProgress = std::function<void(const char* stage, size_t done, size_t total)>;

// Reads and simplifies a model. Errors: kIo, kOutOfMemory, or kBadModel that lists every
// unsupported node, or says what exceeds `limits` or fixes the size of the images. `input_size`: of
// images, where it is another one than the file's, or the file leaves it open.
Result<Model> LoadModel(const std::string& path, const NetworkLimits& limits = {},
                        const std::optional<ImageSize>& input_size = {});

// Lowers the model to spikes and runs the ANN on the calibration images.
Result<PreparedModel> PrepareModel(const Model& model, const ImageSet& calibration,
                                   const ConvertOptions& options, const StageProgress& progress);

// Builds the network with these codes, preprocessing, labels and origin, to be serialized into a
// file.
format::NetworkT BuildFile(const Model& model, const PreparedModel& prepared,
                           const ConvertOptions& options, const std::vector<NodeCode>& codes);

// Converts a model. Images must have the size that model.input says. `validation` may be empty. The
// result is deterministic: the same inputs give the same bytes.
Result<Conversion> Convert(const Model& model, const ImageSet& calibration,
                           const ImageSet& validation, const ConvertOptions& options,
                           const StageProgress& progress);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_CONVERT_H_
