// Converts one model and runs its images with one setting of the code after another. The ANN runs
// once; every setting is converted from its activations and run in process. Any failure is printed
// and ends the program, because this is the main part of a benchmark.
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

// Prints the message and ends the program with the exit code of the status.
[[noreturn]] void Exit(const Status& status);

// The settings of the paper's code, with pixels coded as spikes.
converter::CodeSettings Css(uint32_t timesteps, float beta, uint32_t silent, float threshold);

// The measurements of one setting.
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

  // Returns the share of right answers when the readout is read after each of its last T steps.
  std::vector<double> AccuracyBySteps(const converter::CodeSettings& code) const;

  // The spikes that neurons of the first and the last layer send, and the residuals of all neurons.
  struct Inside {
    struct Layer {
      std::string name;
      std::vector<double> positive, negative;  // shares of the neurons, by spike index
      std::vector<double> residuals;           // shares of the neurons, by tenths of an amplitude
    };
    Layer first, last;
    double mean_residual = 0;  // mean over all neurons, in amplitudes
    double residual_99_9 = 0;
  };

  Inside LookInto(const converter::CodeSettings& code) const;

  // Returns the percentage of right answers where the classes are known, else that of answers equal
  // to the ANN's.
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
