// A loaded spiking network: verified, laid out for execution, immutable.
//
// Threads: any number of threads and sessions may share a Network without locks.
// Cost: loading reads the file once and lays out its weights once, for one engine. The bytes of the
// file are released afterwards.
// Errors: all errors are returned as a Status, including lack of memory (kOutOfMemory).
#ifndef CSSRUN_NETWORK_H_
#define CSSRUN_NETWORK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cssrun/export.h"
#include "cssrun/limits.h"
#include "cssrun/preprocess.h"
#include "cssrun/status.h"

namespace cssrun {

enum class LayerKind {
  kEncoder,        // codes the image as spikes
  kPixels,         // with direct input: the image itself, which sends no spikes
  kNeurons,        // neurons with a membrane each
  kPooledNeurons,  // neurons that fire from the largest membrane of a max pool
  kReadout,        // the last layer, which sums logits
  kEvents,         // the input of a network that takes events
};
// Returns "encoder", "pixels", "neurons", "pooled neurons", "readout" or "events".
CSSRUN_API const char* LayerKindName(LayerKind kind);

struct LayerInfo {
  std::string name;
  LayerKind kind = LayerKind::kNeurons;
  uint64_t neurons =
      0;                // channels * height * width: its spike trains, or the logits of the readout
  uint32_t offset = 0;  // global step of this layer's spike index 0
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
};

// The meaning of an answer's logits.
enum class AnswerKind {
  kClasses,  // a logit for each class: the largest is the best
  kNumbers,  // the outputs of the model as they are: maps, boxes, a regression
};

// One output of the model. A classifier has one, with the shape {classes}.
struct OutputInfo {
  std::string name;
  std::vector<uint32_t> shape;  // without the batch, such as {21, 64, 64}; the last index fastest
  size_t first = 0;             // where its numbers begin in Answer::logits

  // Numbers of the output: the product of its shape.
  size_t size() const {
    size_t product = 1;
    for (const uint32_t length : shape) product *= length;
    return product;
  }
  // The output's numbers in `logits`, which an Answer holds.
  std::span<const float> In(std::span<const float> logits) const {
    return logits.subspan(first, size());
  }
};

// The arithmetic that runs a network. Each engine gives the same bits on every machine and for any
// number of threads. The logits of the two engines differ by the rounding of weights.
enum class EngineKind {
  kInteger,  // rounded weights of 8 bits, 11 in some layers, and 16-bit membranes: fast
  kFloat,    // 32-bit floats, with the weights as converted
};

enum class LogLevel {
  kInformation,
  kWarning,  // loading succeeded, but not as asked: for example with the other engine
};
// Receives one sentence without a line break. Called by the thread that loads, before loading
// returns.
using LogSink = std::function<void(LogLevel level, std::string_view message)>;

struct LoadOptions {
  LoadOptions() = default;
  // Implicit, so that an engine can be passed as options: Load(path, EngineKind::kFloat).
  LoadOptions(EngineKind engine_kind)  // NOLINT: implicit on purpose
      : engine(engine_kind), file_may_ask_for_float(false) {}

  EngineKind engine = EngineKind::kInteger;
  // The converter marks networks that integers answer badly in their file. They run in float even
  // if kInteger is asked for, unless an engine is passed as options.
  bool file_may_ask_for_float = true;
  LogSink log;  // empty: nothing is logged
  NetworkLimits limits;
};

// The meaning of the logits of a network that takes events.
enum class EventReadout {
  kCounts,      // spikes that each neuron of the last layer has sent since the beginning
  kPotentials,  // the potentials of the last layer, whose neurons send no spikes
};

// How a network that takes events was read from its model, which leaves some of it open.
struct EventReading {
  double step_seconds = 0;  // the length of a step
  EventReadout readout = EventReadout::kCounts;
  // What was assumed, a sentence each: how time is cut, resets, several spikes at one step, ...
  std::vector<std::string> assumptions;
  // Names of the layers whose neurons are brought up to date at every step, with events or without,
  // because a bias or a leak towards a level moves them. Empty: silent steps cost nothing.
  std::vector<std::string> stepped;
};

namespace internal {
struct LoadedNetwork;
struct NetworkAccess;
}  // namespace internal

class CSSRUN_API Network {
 public:
  // Reads the file `path` (net.fb), verifies it and lays it out for the engine asked for. Errors:
  // kIo if the file cannot be read, kBadModel if it is no valid network file or exceeds
  // `options.limits`; these messages begin with `path`. kOutOfMemory.
  static Result<std::shared_ptr<const Network>> Load(const std::string& path,
                                                     const LoadOptions& options = {});

  // The same from memory, which must stay valid until this returns. The bytes are copied unless
  // they begin at a multiple of 64. Error messages begin with `name`.
  static Result<std::shared_ptr<const Network>> FromBytes(std::span<const uint8_t> bytes,
                                                          const std::string& name,
                                                          const LoadOptions& options = {});

  // The same from an open regular file, which is read from its beginning. The descriptor stays
  // open, and its position is neither used nor changed.
  static Result<std::shared_ptr<const Network>> FromDescriptor(int descriptor,
                                                               const std::string& name,
                                                               const LoadOptions& options = {});

  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // The engine that runs this network: the one asked for, or kFloat if 16-bit integers cannot run
  // it, or not well enough.
  EngineKind engine() const;
  // Why integers do not run it, if they were asked for; else "".
  const std::string& why_float() const;

  // How events are read; null if the network takes images. A network takes either: events go to an
  // EventSession (cssrun/event_session.h), images to a Session. Lives as long as the network.
  const EventReading* events() const;
  // The images that Session::Run takes. Preprocess() makes them from pictures. For a network that
  // takes events: channels, height and width of their addresses.
  const InputFormat& input() const;
  // The names of the classes, one per logit; empty if the model came without labels.
  const std::vector<std::string>& labels() const;
  // In execution order: the encoder first, the readouts last, one for each output. In a network
  // that takes events: the events first, and last the layer whose answer is read.
  const std::vector<LayerInfo>& layers() const;
  // The meaning of the logits.
  AnswerKind answer() const;
  // The outputs, whose numbers follow each other in Answer::logits.
  const std::vector<OutputInfo>& outputs() const;
  // The number of logits: those of all outputs.
  uint32_t logits() const;
  // T, the length of a spike train; 0 with events, whose time has no end.
  uint32_t timesteps() const;
  // Global steps from the first input until the logits are complete: T + L * depth.
  uint32_t latency_steps() const;
  // A value for SessionOptions::early_exit_margin that changed at most 0.1 % of the answers on the
  // images that the network was converted with. std::nullopt if the converter did not measure it.
  std::optional<double> early_exit_margin() const;
  // Multiply-accumulates of the dense ANN per image; with events, per step. 0: not known.
  uint64_t macs_per_image() const;

 private:
  friend struct internal::NetworkAccess;

  explicit Network(std::unique_ptr<internal::LoadedNetwork> loaded);
  template <class Open>
  static Result<std::shared_ptr<const Network>> Make(Open open, const std::string& name,
                                                     const LoadOptions& options);

  std::unique_ptr<internal::LoadedNetwork> loaded_;
};

}  // namespace cssrun

#endif  // CSSRUN_NETWORK_H_
