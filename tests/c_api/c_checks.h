/* Checks written in C: the header must be one, and what it promises hold without C++. */
#ifndef CSSRUN_TESTS_C_API_C_CHECKS_H_
#define CSSRUN_TESTS_C_API_C_CHECKS_H_

#include "cssrun/c.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs `pixels` on the network at `path` in every way that C has; returns NULL, or what is wrong.
 * On success logits[0 .. logit_count) are the answer. */
const char* RunInC(const char* path, cssrun_engine engine, const uint8_t* pixels, size_t count,
                   float* logits, size_t logit_count);

#ifdef __cplusplus
}
#endif

#endif /* CSSRUN_TESTS_C_API_C_CHECKS_H_ */
