#include "tests/fuzz/take_conversion.h"

#include <string>

#include "tests/fuzz/run_network.h"
#include "tests/fuzz/target.h"

namespace cssrun::fuzz {

void TakeConversion(const Result<converter::NirConversion>& conversion) {
  if (!conversion.ok()) {
    const Status& status = conversion.status();
    Require(status.code() == StatusCode::kBadModel, "refused with kBadModel");
    Require(status.message().rfind(std::string(kModelName) + ": ", 0) == 0, "begins with the name");
    return;
  }
  const flatbuffers::DetachedBuffer& bytes = conversion.value().bytes;
  Require(RunNetwork({bytes.data(), bytes.size()}, kSmall), "what the converter makes loads");
}

}  // namespace cssrun::fuzz
