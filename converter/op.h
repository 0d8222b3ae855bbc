// Identifies a node's operator. The reader decides it once; everything after it compares enums.
#ifndef CSSRUN_CONVERTER_OP_H_
#define CSSRUN_CONVERTER_OP_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "converter/operators/list.h"

namespace cssrun::converter {

// kConv, kGemm, ...: the operators of operators/list.h, in its order.
enum class OpKind : uint8_t {
#define CSSRUN_OPERATOR_KIND(name) k##name,
  CSSRUN_OPERATORS(CSSRUN_OPERATOR_KIND)
#undef CSSRUN_OPERATOR_KIND
      kUnknown,  // not in the list, or not of ONNX's own domain
};

constexpr size_t kKnownOperators = static_cast<size_t>(OpKind::kUnknown);

// An operator's kind. If it is kUnknown, also the operator's name in the file, for messages.
class Op {
 public:
  Op() = default;  // kUnknown without a name
  // The conversion is implicit, so that `node.op = OpKind::kRelu` rewrites a node. `kind` is not
  // kUnknown.
  Op(OpKind kind) : kind_(kind) {}

  // Returns the operator that a file names. `domain` is empty for ONNX's own operators.
  static Op Named(const std::string& domain, const std::string& name);

  OpKind kind() const { return kind_; }
  // Returns true for an operator of another domain than ONNX's own; its kind is kUnknown.
  bool is_foreign() const { return !domain_.empty(); }
  std::string name() const;       // "Conv"
  std::string full_name() const;  // "Conv", "com.example.Fancy"

  friend bool operator==(const Op& op, OpKind kind) { return op.kind_ == kind; }

 private:
  Op(std::string domain, std::string name) : domain_(std::move(domain)), name_(std::move(name)) {}

  OpKind kind_ = OpKind::kUnknown;
  std::string domain_;  // both empty unless the kind is kUnknown
  std::string name_;
};

bool IsOneOf(const Op& op, std::initializer_list<OpKind> kinds);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OP_H_
