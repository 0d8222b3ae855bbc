// The `limits` of load and convert: a dictionary with the names of the programs' --limit.
#ifndef CSSRUN_RUNTIME_PYTHON_LIMITS_H_
#define CSSRUN_RUNTIME_PYTHON_LIMITS_H_

#include <pybind11/pybind11.h>

#include "tools/limits.h"

namespace cssrun::python {

// From None or a mapping of names to whole numbers. Throws ValueError where one of them cannot be,
// with the names that can; TypeError where it is no such mapping.
tools::Limits LimitsOf(const pybind11::object& given);

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_LIMITS_H_
