// Every operator that the converter knows, one a line. The enum OpKind, the names that files use
// and the registry are made from this list.
//
// To add an operator, add a line here and define its descriptor in a file beside this one: without
// the definition nothing links. operator.h says what a descriptor holds.
#ifndef CSSRUN_CONVERTER_OPERATORS_LIST_H_
#define CSSRUN_CONVERTER_OPERATORS_LIST_H_

#define CSSRUN_OPERATORS(X) \
  X(Abs)                    \
  X(Add)                    \
  X(AveragePool)            \
  X(BatchNormalization)     \
  X(Cast)                   \
  X(CastLike)               \
  X(Clip)                   \
  X(Concat)                 \
  X(Constant)               \
  X(ConstantOfShape)        \
  X(Conv)                   \
  X(ConvTranspose)          \
  X(Deconvolution)          \
  X(DepthToSpace)           \
  X(DequantizeLinear)       \
  X(Div)                    \
  X(Dropout)                \
  X(Equal)                  \
  X(Expand)                 \
  X(Flatten)                \
  X(Gather)                 \
  X(Gemm)                   \
  X(GlobalAveragePool)      \
  X(GlobalMaxPool)          \
  X(HardSigmoid)            \
  X(Identity)               \
  X(LeakyRelu)              \
  X(LogSoftmax)             \
  X(MatMul)                 \
  X(Max)                    \
  X(MaxPool)                \
  X(Min)                    \
  X(Mul)                    \
  X(Neg)                    \
  X(PRelu)                  \
  X(Pad)                    \
  X(Quantize)               \
  X(QuantizeLinear)         \
  X(Range)                  \
  X(ReduceMax)              \
  X(ReduceMean)             \
  X(ReduceSum)              \
  X(Relu)                   \
  X(Repeat)                 \
  X(Reshape)                \
  X(Resize)                 \
  X(Scale)                  \
  X(Shape)                  \
  X(Slice)                  \
  X(Softmax)                \
  X(SpaceToDepth)           \
  X(Split)                  \
  X(Sqrt)                   \
  X(Squeeze)                \
  X(Sub)                    \
  X(Sum)                    \
  X(Tile)                   \
  X(Transpose)              \
  X(Unsqueeze)              \
  X(Upsample)               \
  X(Where)

#endif  // CSSRUN_CONVERTER_OPERATORS_LIST_H_
