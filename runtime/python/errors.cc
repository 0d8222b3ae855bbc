#include "runtime/python/errors.h"

namespace cssrun::python {
namespace py = pybind11;

namespace {

// The names of exceptions that DefineErrors() makes; the module owns them.
constexpr char kModelError[] = "ModelError";
constexpr char kStoppedError[] = "StoppedError";
constexpr char kCancelledError[] = "CancelledError";
constexpr char kTimedOutError[] = "TimedOutError";

py::object Defined(const char* name) { return py::module_::import("cssrun._cssrun").attr(name); }

py::object TypeOf(StatusCode code) {
  const auto builtin = [](PyObject* type) { return py::reinterpret_borrow<py::object>(type); };
  switch (code) {
    case StatusCode::kBadModel:
      return Defined(kModelError);
    case StatusCode::kCancelled:
      return Defined(kCancelledError);
    case StatusCode::kTimedOut:
      return Defined(kTimedOutError);
    case StatusCode::kIo:
      return builtin(PyExc_OSError);
    case StatusCode::kOutOfMemory:
      return builtin(PyExc_MemoryError);
    case StatusCode::kOk:
    case StatusCode::kInvalidArgument:
      break;
  }
  return builtin(PyExc_ValueError);
}

void Define(py::module_& module, const char* name, const char* doc, PyObject* base) {
  const std::string full = std::string("cssrun.") + name;
  PyObject* type = PyErr_NewExceptionWithDoc(full.c_str(), doc, base, nullptr);
  if (type == nullptr) throw py::error_already_set();
  module.attr(name) = py::reinterpret_steal<py::object>(type);
}

}  // namespace

void DefineErrors(py::module_& module) {
  Define(module, kModelError, "A model or network file that is damaged, hostile or unsupported.",
         PyExc_ValueError);
  Define(module, kStoppedError, "A run that ended before there was an answer.", PyExc_RuntimeError);
  PyObject* stopped = module.attr(kStoppedError).ptr();
  Define(module, kCancelledError, "A run that was cancelled.", stopped);
  Define(module, kTimedOutError, "A run whose time was over before there was an answer.", stopped);
}

void Check(const Status& status, const std::string& where) {
  if (status.ok()) return;
  const std::string text = where + status.message();
  PyErr_SetString(TypeOf(status.code()).ptr(), text.c_str());
  throw py::error_already_set();
}

}  // namespace cssrun::python
