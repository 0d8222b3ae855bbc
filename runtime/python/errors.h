// Turns a Status into a Python exception with the same message.
//
//     kInvalidArgument   ValueError
//     kBadModel          cssrun.ModelError, a ValueError
//     kIo                OSError
//     kOutOfMemory       MemoryError
//     kCancelled         cssrun.CancelledError, a cssrun.StoppedError
//     kTimedOut          cssrun.TimedOutError, a cssrun.StoppedError
#ifndef CSSRUN_RUNTIME_PYTHON_ERRORS_H_
#define CSSRUN_RUNTIME_PYTHON_ERRORS_H_

#include <pybind11/pybind11.h>

#include <chrono>
#include <string>
#include <utility>

#include "cssrun/status.h"

namespace cssrun::python {

// Adds the exceptions of cssrun to the module. Call it before Check().
void DefineErrors(pybind11::module_& module);

// How often a long call checks for Ctrl-C.
constexpr std::chrono::milliseconds kSignalInterval{50};

// Throws the exception for `status` unless it is ok(). `where` is put before the message. The
// caller holds the GIL.
void Check(const Status& status, const std::string& where = "");

// Returns the value, or throws like Check().
template <class T>
T ValueOf(Result<T> result) {
  Check(result.status());
  return std::move(result).value();
}

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_ERRORS_H_
