#include "runtime/dot_products.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace cssrun::internal {
namespace {

bool CpuHasDotProducts() {
#if defined(__aarch64__) && defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}

bool allow_dot_products = true;

}  // namespace

bool HasDotProducts() {
  static const bool cpu_has = CpuHasDotProducts();
  return cpu_has && allow_dot_products;
}

void AllowDotProducts(bool allow) { allow_dot_products = allow; }

}  // namespace cssrun::internal
