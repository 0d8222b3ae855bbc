// One model and its images, converted and run with one setting of the code after another. The ANN
// runs once; every setting is converted from its activations and run in process. Whatever fails is
// printed and ends the program, which is a benchmark's main.
#ifndef CSSRUN_BENCH_PAPER_EXPERIMENTS_H_
#define CSSRUN_BENCH_PAPER_EXPERIMENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "converter/compare.h"
#include "converter/convert.h"
#include "format/network_file.h"

namespace cssrun::paper {

struct Arguments {
  std::string model, quantized, calibration, test, labels;
  std::vector<float> mean, stddev;
  size_t images = 500;
};

// Prints the message and ends the program with the exit code that belongs to it.
[[noreturn]] void Exit(const Status& status);

// The paper's code, pixels coded as spikes.
converter::CodeSettings Css(uint32_t timesteps, float beta, uint32_t silent, float threshold);

// One setting, measured.
struct Outcome {
  converter::Comparison comparison;
  uint32_t latency = 0;  // steps until the readout is complete
  bool in_float = false;
};

class Experiments {
 public:
  Experiments(const std::string& path, const Arguments& arguments);

  const converter::Model& model() const { return model_; }
  size_t images() const { return test_.pixels.size(); }
  double ann_top1() const { return ann_top1_; }
  bool graded() const { return graded_ > 0; }
  uint64_t macs() const { return prepared_.network.macs; }

  Outcome Measure(const converter::CodeSettings& code) const;

  // Right answers if the readout is read after each of its last T steps.
  std::vector<double> AccuracyBySteps(const converter::CodeSettings& code) const;

  // What neurons of the first and last layer send, and what stays behind in all of them.
  struct Inside {
    struct Layer {
      std::string name;
      std::vector<double> positive, negative;  // share of the neurons, by spike index
      std::vector<double> residuals;           // share of the neurons, in tenths of an amplitude
    };
    Layer first, last;
    double mean_residual = 0;  // of all neurons, in amplitudes
    double residual_99_9 = 0;
  };

  Inside LookInto(const converter::CodeSettings& code) const;

  // Percent right where the classes are known, else percent as the ANN.
  double Accuracy(const converter::Comparison& comparison) const {
    return 100 * (graded() ? comparison.snn_top1 : comparison.agreement);
  }

 private:
  flatbuffers::DetachedBuffer Build(const converter::CodeSettings& code) const;
  ptrdiff_t Expected(size_t image) const;

  converter::Model model_;
  converter::ConvertOptions options_;
  converter::PreparedModel prepared_;
  converter::ImageSet test_;
  std::vector<converter::Logits> ann_;
  size_t graded_ = 0;
  double ann_top1_ = -1;
};

}  // namespace cssrun::paper

#endif  // CSSRUN_BENCH_PAPER_EXPERIMENTS_H_
