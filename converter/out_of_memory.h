// Distinguishes exhausted memory from a bad model.
#ifndef CSSRUN_CONVERTER_OUT_OF_MEMORY_H_
#define CSSRUN_CONVERTER_OUT_OF_MEMORY_H_

#include <exception>

#include "cssrun/status.h"

namespace cssrun::converter {

// Returns whether an exception of our own code or of oneDNN means that memory ran out.
bool MeansOutOfMemory(const std::exception& error);

// Runs `call`, which returns a Status or a Result. Running out of memory becomes a Status.
template <class Call>
auto GuardMemory(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& error) {
    if (!MeansOutOfMemory(error)) throw;
    return Status::OutOfMemory();
  }
}

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OUT_OF_MEMORY_H_
