// Takes any bytes as a NIR model, which must be refused with one message, or converted to a network
// that loads and runs.
//
// HDF5's library reads it in a process of its own, whose end is an error like others. Where it
// ended by a signal, another process finds out whose fault that is: a mistake of ours ends this
// one.
#include "tests/fuzz/import_nir.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cssrun::fuzz;
  Require(ImportNir({data, size}) != Imported::kWeFailed, "the library failed, not our code");
  return 0;
}
