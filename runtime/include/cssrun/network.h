// A loaded spiking network: verified, laid out for execution, immutable.
//
// Threads: a Network may be shared by any number of threads and sessions without locks.
// Cost: loading reads the file once and lays its weights out once, for the one engine asked for;
// the file's bytes are released afterwards.
// Errors: all of them come as a Status, want of memory included.
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
#include "cssrun/status.h"

namespace cssrun {

// What an image must look like before it is run. A caller that decodes images itself resizes the
// shorter side to `resize` (bilinear, antialiased), cuts the centre `height` x `width`, and hands
// over RGB: 8-bit pixels, or floats from 0 to 1, of which pixel/255 is the same image to the last
// bit. Normalization, (value - mean) / stddev per channel, is done by the session, never by the
// caller.
struct InputFormat {
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
  uint32_t resize = 0;
  std::vector<float> mean;    // one per channel
  std::vector<float> stddev;  // one per channel
};

enum class LayerKind {
  kEncoder,  // codes the image in spikes
  kPixels,   // the image itself, with direct input: no spikes
  kNeurons,
  kPooledNeurons,  // that fire from the largest membrane of a max pool
  kReadout,        // the logits
};
// "encoder", "pixels", "neurons", "pooled neurons", "readout".
CSSRUN_API const char* LayerKindName(LayerKind kind);

struct LayerInfo {
  std::string name;
  LayerKind kind = LayerKind::kNeurons;
  uint64_t neurons = 0;  // spike trains that leave (readout: logits): channels * height * width
  uint32_t offset = 0;   // global step of this layer's first spike
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
};

// The arithmetic that runs a network. Both give the same bits on every machine and for any number
// of threads; between them logits differ by the rounding of weights to 8 bits.
enum class EngineKind {
  kInteger,  // 8-bit weights, 16-bit membranes: fast
  kFloat,    // as converted
};

enum class LogLevel {
  kInformation,
  kWarning,  // it works, but not as asked
};
// Receives one sentence without a line break; called by the thread that loads, while it loads.
using LogSink = std::function<void(LogLevel level, std::string_view message)>;

struct LoadOptions {
  // An engine alone is options, too: Load(path, EngineKind::kFloat).
  LoadOptions(EngineKind engine_kind = EngineKind::kInteger)  // NOLINT: implicit on purpose
      : engine(engine_kind) {}

  EngineKind engine;
  LogSink log;  // nothing is logged without it
  NetworkLimits limits;
};

namespace internal {
struct LoadedNetwork;
struct NetworkAccess;
}  // namespace internal

class CSSRUN_API Network {
 public:
  // Reads and verifies a net.fb and lays it out for an engine. Errors: kIo when it cannot be read,
  // kBadModel when it is not a sound network file; the message begins with `path`.
  static Result<std::shared_ptr<const Network>> Load(const std::string& path,
                                                     const LoadOptions& options = {});

  // The same from memory that the caller keeps until this returns. Used in place where it begins at
  // a multiple of 64 bytes, else copied. `name` begins the error messages.
  static Result<std::shared_ptr<const Network>> FromBytes(std::span<const uint8_t> bytes,
                                                          const std::string& name,
                                                          const LoadOptions& options = {});

  // The same from an open regular file, from its beginning; the descriptor's position does not
  // matter nor change, and it stays open.
  static Result<std::shared_ptr<const Network>> FromDescriptor(int descriptor,
                                                               const std::string& name,
                                                               const LoadOptions& options = {});

  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // kFloat also where kInteger was asked for and 16 bits do not suffice; why_float() says why.
  EngineKind engine() const;
  const std::string& why_float() const;

  const InputFormat& input() const;
  // One per logit, or empty when the model came without labels.
  const std::vector<std::string>& labels() const;
  // In execution order: the encoder first, the readout last.
  const std::vector<LayerInfo>& layers() const;
  uint32_t logits() const;
  uint32_t timesteps() const;
  // Steps from the first input spike until the logits are complete: T + L * depth.
  uint32_t latency_steps() const;
  // For SessionOptions::early_exit_margin: costs at most 0.1 % of the answers on the images that
  // the network was converted with. Nothing when it was not measured.
  std::optional<double> early_exit_margin() const;
  // Multiply-accumulates of the dense ANN that this network was converted from.
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
