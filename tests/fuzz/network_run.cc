// Takes any bytes as net.fb, which must be refused or run by both engines.
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cssrun::fuzz::RunNetwork({data, size}, cssrun::fuzz::kSmall);
  return 0;
}
