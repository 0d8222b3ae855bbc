// Takes any bytes as what HDF5's library has read of a NIR model: all of our own code that comes
// after it, without files and without another process, which makes it a hundred times as fast as
// nir_import.
#include <algorithm>
#include <string>
#include <string_view>

#include "converter/nir/hdf5_tree.h"
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/take_conversion.h"
#include "tests/fuzz/target.h"

namespace {

using namespace cssrun;

// Every reading, by the bytes.
converter::NirOptions OptionsOf(const uint8_t* data, size_t size) {
  size_t choice = std::hash<std::string_view>()({reinterpret_cast<const char*>(data), size});
  const auto take = [&choice](size_t of) {
    const size_t taken = choice % of;
    choice /= of;
    return taken;
  };
  converter::NirOptions options;
  if (take(2) == 0) options.dt = 1e-4 * static_cast<double>(1 + take(20));
  if (take(2) == 0) options.reset = static_cast<converter::NirReset>(take(3));
  const bool subtracts = options.reset == converter::NirReset::kSubtract;
  if (options.reset.has_value()) options.several_spikes = subtracts && take(2) == 0;
  if (take(2) == 0) options.floor = static_cast<converter::NirFloor>(take(3));
  options.floor_value = -0.5;
  return options;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::optional<converter::Hdf5Group> root = converter::UnpackHdf5({data, size});
  if (!root.has_value()) return 0;
  const std::vector<uint8_t> again = converter::PackHdf5(*root);
  fuzz::Require(std::equal(again.begin(), again.end(), data, data + size), "packed alike");
  fuzz::TakeConversion(converter::ConvertNirTree(*root, "", fuzz::kModelName, OptionsOf(data, size),
                                                 {}, fuzz::kSmall));
  return 0;
}
