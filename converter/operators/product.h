// Products of positions with a matrix, as dense layers over maps with their channels last have.
#ifndef CSSRUN_CONVERTER_OPERATORS_PRODUCT_H_
#define CSSRUN_CONVERTER_OPERATORS_PRODUCT_H_

#include "converter/operators/operator.h"

namespace cssrun::converter {

// Of a MatMul or Gemm with a constant matrix, where its input is a view of a map and the matrix
// multiplies channels: a 1x1 convolution of the map, the same at every position.
FollowFunction FollowProduct;

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_PRODUCT_H_
