// Lack of memory as a Status.
#ifndef CSSRUN_RUNTIME_WITHIN_MEMORY_H_
#define CSSRUN_RUNTIME_WITHIN_MEMORY_H_

#include <new>
#include <stdexcept>

#include "cssrun/status.h"

namespace cssrun::internal {

// Calls function(), which returns a Status or a Result, and turns exceptions for lack of memory
// into a Status. Other exceptions come from the caller's callbacks and pass through.
template <class Function>
auto WithinMemory(const Function& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory();
  } catch (const std::length_error&) {
    return Status::OutOfMemory();
  }
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_WITHIN_MEMORY_H_
