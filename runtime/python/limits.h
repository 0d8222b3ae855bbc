// The argument `limits` of load and convert: a dictionary whose keys are the names that --limit of
// the programs takes.
#ifndef CSSRUN_RUNTIME_PYTHON_LIMITS_H_
#define CSSRUN_RUNTIME_PYTHON_LIMITS_H_

#include <pybind11/pybind11.h>

#include "tools/limits.h"

namespace cssrun::python {

// `given`: None, or a mapping from names to whole numbers. Throws ValueError on an unknown name or
// a number that is no limit (the message lists the names), TypeError if it is no such mapping.
tools::Limits LimitsOf(const pybind11::object& given);

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_LIMITS_H_
