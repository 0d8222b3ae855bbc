// What the pools share: MaxPool, AveragePool and those over the whole map.
#ifndef CSSRUN_CONVERTER_OPERATORS_POOL_H_
#define CSSRUN_CONVERTER_OPERATORS_POOL_H_

#include <dnnl.hpp>

#include "converter/operators/operator.h"
#include "converter/window.h"

namespace cssrun::converter {

InferFunction InferPool;        // with a window
InferFunction InferGlobalPool;  // over the whole map

// A view of a map whose channels alone are moved.
FollowFunction FollowPool;

CheckFunction CheckPool;        // with a window
CheckFunction CheckGlobalPool;  // over the whole map

Status AddPool(DenseBuilder& builder, const Node& node, dnnl::algorithm kind, const Window& window);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_POOL_H_
