// Takes any bytes as net.fb, which must be verified or refused with one message. No network is laid
// out.

#include <memory>

#include "format/network_file.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cssrun;
  const Result<format::NetworkFile> file = format::NetworkFile::FromBytes({data, size}, "input");
  if (!file.ok()) {
    fuzz::Require(file.status().code() == StatusCode::kBadModel, "refused with kBadModel");
    fuzz::Require(file.status().message().rfind("input: ", 0) == 0, "begins with the name");
    return 0;
  }
  // The holder of a NetworkFile may follow everything in it. Unpacking does so, and its result must
  // be sound again.
  const std::unique_ptr<format::NetworkT> unpacked(file.value().network().UnPack());
  const flatbuffers::DetachedBuffer again = format::SerializeNetwork(*unpacked);
  fuzz::Require(format::NetworkFile::FromBytes({again.data(), again.size()}, "again").ok(),
                "a sound network stays sound");
  return 0;
}
