// cssrun.convert: the converter for Python. Only where the module is built with it.
#ifndef CSSRUN_RUNTIME_PYTHON_CONVERT_H_
#define CSSRUN_RUNTIME_PYTHON_CONVERT_H_

#include <pybind11/pybind11.h>

namespace cssrun::python {

void DefineConvert(pybind11::module_& module);

}  // namespace cssrun::python

#endif  // CSSRUN_RUNTIME_PYTHON_CONVERT_H_
