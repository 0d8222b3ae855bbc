// What Add, Sub, Mul and Div share: broadcasting, constants, and one number per channel.
#ifndef CSSRUN_CONVERTER_OPERATORS_ARITHMETIC_H_
#define CSSRUN_CONVERTER_OPERATORS_ARITHMETIC_H_

#include "converter/operators/operator.h"

namespace cssrun::converter {

InferFunction InferArithmetic;
// The shape that all inputs broadcast to.
InferFunction InferBroadcast;
EvaluateConstants EvaluateArithmetic;

// A view and a constant that is one number for each channel of the base, along whatever axes.
FollowFunction FollowPerChannel;

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_ARITHMETIC_H_
