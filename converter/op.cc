#include "converter/op.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace cssrun::converter {
namespace {

constexpr std::string_view kNames[] = {
#define CSSRUN_OPERATOR_NAME(name) #name,
    CSSRUN_OPERATORS(CSSRUN_OPERATOR_NAME)
#undef CSSRUN_OPERATOR_NAME
};
static_assert(std::size(kNames) == kKnownOperators);

}  // namespace

Op Op::Named(const std::string& domain, const std::string& name) {
  const auto* const found = std::find(std::begin(kNames), std::end(kNames), name);
  if (!domain.empty() || found == std::end(kNames)) return {domain, name};
  return static_cast<OpKind>(found - std::begin(kNames));
}

std::string Op::name() const {
  return kind_ == OpKind::kUnknown ? name_ : std::string(kNames[static_cast<size_t>(kind_)]);
}

std::string Op::full_name() const { return domain_.empty() ? name() : domain_ + "." + name(); }

bool IsOneOf(const Op& op, std::initializer_list<OpKind> kinds) {
  return std::find(kinds.begin(), kinds.end(), op.kind()) != kinds.end();
}

}  // namespace cssrun::converter
