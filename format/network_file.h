// A net.fb in memory, every field of which has been checked.
//
// Bytes of unknown origin are checked here and nowhere else. Code that holds a NetworkFile may
// follow its offsets, use its indices and allocate by its sizes without further checks.
#ifndef CSSRUN_FORMAT_NETWORK_FILE_H_
#define CSSRUN_FORMAT_NETWORK_FILE_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "format/file_bytes.h"
#include "network_generated.h"

namespace cssrun::format {

// Version 2 is the first that was released. Version 1 is not read, because its files have two
// layouts: Code.input replaced a field that some of them have.
// Version 3 has answers that are numbers (Network.answer) and more preprocessing.
// Version 4 has sources that are spread out (Synapses.spread_y, spread_x).
// Version 6 has networks that take events (Network.events). Networks that take images are written
// as version 5, so that readers of it go on reading them.
constexpr uint32_t kFormatVersion = 6;
constexpr uint32_t kImagesVersion = 5;
constexpr uint32_t kEventsVersion = 6;
constexpr uint32_t kSpreadVersion = 4;
constexpr uint32_t kWholePixelsVersion = 5;
constexpr uint32_t kOldestFormatVersion = 2;

// What of a file is kept in memory.
enum class Kept : uint8_t {
  kAll,
  // All but the weights of networks that take images, where there are many: Synapses::weights() has
  // their number, and nobody may look at them. See NetworkFile::WeightsOf().
  kAllButWeights,
};

// Whether Kept::kAllButWeights leaves out the weights of these synapses of a network that takes
// images.
bool MayBeLeftOut(const Synapses& synapses);

// Weights in memory: the file's, or read from it.
struct Weights {
  std::span<const float> numbers;
  FileBytes own;
};

// Thrown where weights can no longer be read as they were.
class WeightsFailed : public std::exception {
 public:
  explicit WeightsFailed(Status status) : status_(std::move(status)) {}
  const Status& status() const { return status_; }
  const char* what() const noexcept override { return status_.message().c_str(); }

 private:
  Status status_;
};

// Immutable; any number of threads may read it.
class NetworkFile {
 public:
  // Reads and checks the file `path`. Errors: kIo if it cannot be read, kBadModel if it is no valid
  // network file or exceeds `limits`, kOutOfMemory. Messages begin with `path`.
  static Result<NetworkFile> Open(const std::string& path, const NetworkLimits& limits = {},
                                  Kept kept = Kept::kAll);
  // The same for an open file; see ReadFileBytes(). Messages begin with `name`.
  static Result<NetworkFile> FromDescriptor(int descriptor, const std::string& name,
                                            const NetworkLimits& limits = {},
                                            Kept kept = Kept::kAll);
  // The same for bytes in memory. They are copied unless they begin at a multiple of 64; then they
  // must stay valid and unchanged as long as the NetworkFile lives.
  static Result<NetworkFile> FromBytes(std::span<const uint8_t> bytes, const std::string& name,
                                       const NetworkLimits& limits = {});

  // The checked network; lives as long as this.
  const Network& network() const { return *GetNetwork(bytes_.bytes().data()); }
  // Bytes of the file.
  size_t size() const { return bytes_.bytes().size(); }
  // The weights of synapses of network(), all of them finite. Throws WeightsFailed where the file
  // has changed since it was opened, and std::bad_alloc.
  Weights WeightsOf(const Synapses& synapses) const;

 private:
  explicit NetworkFile(FileBytes bytes) : bytes_(std::move(bytes)) {}
  static Result<NetworkFile> Verify(FileBytes bytes, const std::string& name,
                                    const NetworkLimits& limits, Kept kept);
  // Whether WeightsOf() reads the file.
  bool LeftOut(const Synapses& synapses) const;
  // Reads numbers [first, first + numbers.size()) of weights that are left out.
  Status ReadWeights(const Synapses& synapses, size_t first, std::span<float> numbers) const;
  Status CheckWeights() const;

  FileBytes bytes_;
  Descriptor file_;  // open where weights are left out
  std::string name_;
};

// Serializes `network` with the file identifier. The same network always gives the same bytes.
flatbuffers::DetachedBuffer SerializeNetwork(const NetworkT& network);

// A network that takes events, with what the schema requires of every network and `events` does not
// need.
NetworkT MakeEventFile(std::unique_ptr<EventNetworkT> events);

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_NETWORK_FILE_H_
