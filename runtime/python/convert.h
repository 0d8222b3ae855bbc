// cssrun.convert: the converter for Python. Present only if the module is built with the converter.
#ifndef CSSRUN_RUNTIME_PYTHON_CONVERT_H_
#define CSSRUN_RUNTIME_PYTHON_CONVERT_H_

#include <pybind11/pybind11.h>

namespace cssrun::python {

// Adds convert() to the module.
void DefineConvert(pybind11::module_& module);

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_CONVERT_H_
