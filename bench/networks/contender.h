// What bench_networks lets run by turns: the same pictures, as everyone wants them, and the ways to
// run them.
#ifndef CSSRUN_BENCH_NETWORKS_CONTENDER_H_
#define CSSRUN_BENCH_NETWORKS_CONTENDER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "converter/ann_run.h"
#include "converter/convert.h"
#include "converter/dense.h"
#include "cssrun/cssrun.h"

namespace cssrun::bench {

struct Pictures {
  converter::ImageSet set;                     // pixels and classes
  std::vector<std::vector<float>> normalized;  // the same for the ANN, planar

  size_t count() const { return set.pixels.size(); }
};

// Reads at most `most` pictures below a folder, as the network wants them.
Result<Pictures> ReadPictures(const std::string& folder, const Network& network, size_t most);

// One way to run pictures.
struct Contender {
  std::string name;
  // Runs `count` pictures, from number `first` on and around, and returns the seconds it took.
  std::function<Result<double>(size_t first, size_t count)> turn;
  // Returns the class of every picture; empty where another contender answers the same.
  std::function<Result<std::vector<size_t>>()> answer = {};
  std::vector<double> seconds_per_image = {};  // by round
};

// cssrun, one picture on all threads.
Result<Contender> SnnLatency(const std::shared_ptr<const Network>& network,
                             const Pictures& pictures, unsigned threads);
// The same, counting spikes and SyOPs.
Result<Contender> SnnCounting(const std::shared_ptr<const Network>& network,
                              const Pictures& pictures, unsigned threads);
// cssrun, one picture on each thread.
Contender SnnThroughput(const std::shared_ptr<const Network>& network, const Pictures& pictures,
                        unsigned threads);
// The ANN in float by oneDNN, a batch on all threads.
Result<Contender> DenseLatency(const converter::Model& model, const Pictures& pictures,
                               size_t batch, unsigned threads);
// The ANN in float by oneDNN, one picture on each thread.
Result<Contender> DenseThroughput(const converter::Model& model, const Pictures& pictures,
                                  unsigned threads);
// The ANN in 8 bits by oneDNN, one picture on all threads.
Result<Contender> Int8Latency(const converter::Model& model, const Pictures& calibration,
                              const Pictures& pictures, const InputFormat& input, unsigned threads);

// Prepares the ANN in float.
Result<std::unique_ptr<converter::DenseNetwork>> CreateDense(const converter::Model& model,
                                                             size_t batch, unsigned threads);

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_NETWORKS_CONTENDER_H_
