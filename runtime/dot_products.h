// Whether the machine has 64-bit ARM's instruction that adds four products of bytes to each 32-bit
// lane (SDOT): most cores since Armv8.2 do, such as a Cortex-A76, but not an A72. Highway has no
// target for it, so NEON kernels ask this function.
#ifndef CSSRUN_RUNTIME_DOT_PRODUCTS_H_
#define CSSRUN_RUNTIME_DOT_PRODUCTS_H_

namespace cssrun::internal {

// False on other processors.
bool HasDotProducts();
// For tests: false pretends that the machine lacks it. Not thread-safe.
void AllowDotProducts(bool allow);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_DOT_PRODUCTS_H_
