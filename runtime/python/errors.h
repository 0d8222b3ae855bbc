// From a Status to a Python exception.
//
// kInvalidArgument is ValueError, kIo OSError, kOutOfMemory MemoryError, kBadModel
// cssrun.ModelError (a ValueError) and kCancelled and kTimedOut the two kinds of cssrun.StoppedError; the text is the Status's.
#ifndef CSSRUN_RUNTIME_PYTHON_ERRORS_H_
#define CSSRUN_RUNTIME_PYTHON_ERRORS_H_

#include <pybind11/pybind11.h>

#include <string>
#include <utility>

#include "cssrun/status.h"

namespace cssrun::python {

void DefineErrors(pybind11::module_& module);

// Throws unless status.ok(); `where` begins the message. The caller holds the GIL.
void Check(const Status& status, const std::string& where = "");

template <class T>
T ValueOf(Result<T> result) {
  Check(result.status());
  return std::move(result).value();
}

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_ERRORS_H_
