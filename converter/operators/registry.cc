#include <algorithm>
#include <array>

#include "converter/operators/operator.h"

namespace cssrun::converter {

const Operator& OperatorOf(const Op& op) {
  static constexpr std::array<const Operator*, kKnownOperators + 1> kOperators = {
#define CSSRUN_REGISTER_OPERATOR(name) &k##name##Operator,
      CSSRUN_OPERATORS(CSSRUN_REGISTER_OPERATOR)
#undef CSSRUN_REGISTER_OPERATOR
      & kUnknownOperator};
  return *kOperators[static_cast<size_t>(op.kind())];
}

const OperatorVersion* VersionAt(const Op& op, int64_t opset) {
  const auto* versions = std::get_if<std::span<const OperatorVersion>>(&OperatorOf(op).versions);
  if (versions == nullptr) return nullptr;
  const auto after =
      std::find_if(versions->begin(), versions->end(),
                   [&](const OperatorVersion& version) { return version.since > opset; });
  return after == versions->begin() ? nullptr : &*std::prev(after);
}

}  // namespace cssrun::converter
