// What must hold of every model in NIR, however it came about.
#ifndef CSSRUN_TESTS_FUZZ_TAKE_CONVERSION_H_
#define CSSRUN_TESTS_FUZZ_TAKE_CONVERSION_H_

#include "converter/nir/convert_nir.h"

namespace cssrun::fuzz {

// The name that the model is to be converted under.
inline constexpr char kModelName[] = "model.nir";

// Requires a refusal with one message, or a network that loads and runs.
void TakeConversion(const Result<converter::NirConversion>& conversion);

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_TAKE_CONVERSION_H_
