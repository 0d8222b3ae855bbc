// Small answers that many operators give.
#ifndef CSSRUN_CONVERTER_OPERATORS_COMMON_H_
#define CSSRUN_CONVERTER_OPERATORS_COMMON_H_

#include <optional>
#include <utility>

#include "converter/graph.h"
#include "converter/operators/operator.h"
#include "converter/strides.h"

namespace cssrun::converter {

inline Inferred Unknown() { return std::optional<Shape>(); }
inline Inferred Known(Shape shape) { return std::optional<Shape>(std::move(shape)); }
inline Evaluated NotEvaluated() { return std::optional<Tensor>(); }
inline Evaluated Done(Tensor tensor) { return std::optional<Tensor>(std::move(tensor)); }

// The shape of input 0.
InferFunction InferSameShape;

// Input 0 under another shape.
EvaluateConstants EvaluateReshaped;

// The elements of `input` that a box of this shape reads, as floats or integers.
Tensor Rearranged(const Tensor& input, const Shape& shape, const Strided& from);

inline constexpr const char* kExportAgain = "export the model again";

// Problems, for check functions.
std::optional<Problem> NotAMap(const Graph& graph, const Node& node);
std::optional<Problem> ConstantActivation(const Graph& graph, const Node& node);

// Of operators that combine activations otherwise than by addition.
inline constexpr Refused kNotASum = {
    "it combines activations otherwise than by addition, or with a constant that is not one number "
    "per channel",
    "train without it"};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_COMMON_H_
