// Takes any bytes as a NIR model, which must be refused with one message, or converted to a network
// that loads and runs.
#include <string>

#include "converter/nir/convert_nir.h"
#include "cssrun/network.h"
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cssrun;
  const auto conversion = converter::ConvertNir({data, size}, "model.nir", {}, {}, fuzz::kSmall);
  if (!conversion.ok()) {
    const Status& status = conversion.status();
    fuzz::Require(status.code() == StatusCode::kBadModel, "refused with kBadModel");
    fuzz::Require(status.message().rfind("model.nir: ", 0) == 0, "begins with the name");
    return 0;
  }
  const flatbuffers::DetachedBuffer& bytes = conversion.value().bytes;
  fuzz::Require(fuzz::RunNetwork({bytes.data(), bytes.size()}, fuzz::kSmall),
                "what the converter makes loads");
  return 0;
}
