#include "runtime/python/limits.h"

#include <cstdint>
#include <string>

#include "runtime/python/errors.h"

namespace cssrun::python {
namespace py = pybind11;

namespace {

// `number` as a whole number; 0 if it is negative or does not fit. SetLimit() refuses 0.
uint64_t WholeNumber(py::handle number) {
  // PyNumber_Index accepts NumPy's integers and raises TypeError on everything that is no integer.
  const auto whole = py::reinterpret_steal<py::object>(PyNumber_Index(number.ptr()));
  if (!whole) throw py::error_already_set();
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow);
  return overflow == 0 && value > 0 ? static_cast<uint64_t>(value) : 0;
}

}  // namespace

tools::Limits LimitsOf(const py::object& given) {
  tools::Limits limits;
  if (given.is_none()) return limits;
  for (const auto& [name, number] : py::dict(given)) {
    if (!py::isinstance<py::str>(name)) throw py::type_error("limits are given by name");
    Check(tools::SetLimit(name.cast<std::string>(), WholeNumber(number), limits));
  }
  return limits;
}

}  // namespace cssrun::python
