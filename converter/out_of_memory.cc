#include "converter/out_of_memory.h"

#include <new>
#include <stdexcept>

#include "oneapi/dnnl/dnnl.hpp"

namespace cssrun::converter {

bool MeansOutOfMemory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  if (dynamic_cast<const std::length_error*>(&error) != nullptr) return true;
  const auto* dense = dynamic_cast<const dnnl::error*>(&error);
  return dense != nullptr && dense->status == dnnl_out_of_memory;
}

}  // namespace cssrun::converter
