// Checks that every operator has all parts of a descriptor, or states why not, and that the parts
// agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

std::vector<OpKind> AllKinds() {
  std::vector<OpKind> kinds;
  for (size_t i = 0; i < kKnownOperators; ++i) kinds.push_back(static_cast<OpKind>(i));
  return kinds;
}

// Expects the function, or a reason for its absence that is one of `reasons`.
template <typename... Alternatives>
void ExpectStated(const std::variant<Alternatives...>& stage, const std::set<Absent>& reasons,
                  const std::string& what) {
  std::visit(
      [&](const auto& stated) {
        using Stated = std::decay_t<decltype(stated)>;
        if constexpr (std::is_same_v<Stated, Absent>) {
          EXPECT_TRUE(reasons.contains(stated)) << what << ": reason " << static_cast<int>(stated);
        } else if constexpr (std::is_pointer_v<Stated>) {
          EXPECT_NE(stated, nullptr) << what;
        } else if constexpr (std::is_same_v<Stated, DenseRectifier>) {
          EXPECT_NE(stated.steps, nullptr) << what;
        } else {
          EXPECT_NE(stated.add, nullptr) << what;
        }
      },
      stage);
}

template <typename Variant>
bool IsAbsent(const Variant& stage) {
  return std::holds_alternative<Absent>(stage);
}

class OperatorTest : public ::testing::TestWithParam<OpKind> {
 protected:
  const Operator& op() const { return OperatorOf(GetParam()); }
  std::string name() const { return Op(GetParam()).name(); }
};

TEST_P(OperatorTest, IsFoundByItsName) {
  EXPECT_FALSE(name().empty());
  EXPECT_EQ(Op::Named("", name()), GetParam());
  const Op foreign = Op::Named("com.example", name());
  EXPECT_EQ(foreign, OpKind::kUnknown);
  EXPECT_EQ(foreign.name(), name());
  EXPECT_EQ(foreign.full_name(), "com.example." + name());
}

TEST_P(OperatorTest, StatesEveryStage) {
  ExpectStated(op().infer_shape, {Absent::kRewritten}, "infer_shape");
  ExpectStated(op().evaluate, {Absent::kNotInModels, Absent::kRewritten}, "evaluate");
  ExpectStated(op().follow, {Absent::kEndsViews, Absent::kRewritten}, "follow");
  ExpectStated(op().reorder_weights, {Absent::kNoWeights}, "reorder_weights");
  ExpectStated(op().dense, {Absent::kRefused}, "dense");
  ExpectStated(op().lower, {Absent::kRefused}, "lower");
  if (const auto* refused = std::get_if<Refused>(&op().check)) {
    EXPECT_FALSE(std::string(refused->reason).empty());
    EXPECT_FALSE(std::string(refused->remedy).empty());
  }
}

// Nodes that FindUnsupported() accepts must run and become spikes; no other node may.
TEST_P(OperatorTest, StagesAgree) {
  const bool converts = std::holds_alternative<CheckFunction*>(op().check);
  EXPECT_EQ(!IsAbsent(op().dense), converts);
  EXPECT_EQ(!IsAbsent(op().lower), converts);
  if (converts) {
    EXPECT_FALSE(IsAbsent(op().infer_shape));
  }
  if (op().map == MapRule::kInput) {
    EXPECT_TRUE(converts);
  }
  if (op().elements == ElementRule::kReshaped) {
    EXPECT_FALSE(IsAbsent(op().follow));
    EXPECT_FALSE(IsAbsent(op().evaluate));
  }
  if (!IsAbsent(op().evaluate)) {
    EXPECT_FALSE(IsAbsent(op().infer_shape));
  }
}

INSTANTIATE_TEST_SUITE_P(All, OperatorTest, ::testing::ValuesIn(AllKinds()),
                         [](const auto& kind) { return Op(kind.param).name(); });

TEST(OperatorsTest, DescriptorsAreDistinct) {
  std::set<const Operator*> operators;
  for (const OpKind kind : AllKinds()) operators.insert(&OperatorOf(kind));
  operators.insert(&OperatorOf(Op::Named("", "Fancy")));
  EXPECT_EQ(operators.size(), kKnownOperators + 1);
}

TEST(OperatorsTest, TheseAreConverted) {
  std::set<std::string> converted;
  for (const OpKind kind : AllKinds()) {
    if (!IsAbsent(OperatorOf(kind).lower)) converted.insert(Op(kind).name());
  }
  EXPECT_EQ(converted,
            (std::set<std::string>{"Add", "AveragePool", "Clip", "Concat", "Conv", "Deconvolution",
                                   "Flatten", "Gemm", "GlobalAveragePool", "MaxPool", "Pad",
                                   "Quantize", "Relu", "Repeat", "Scale", "Slice"}));
}

TEST(OperatorsTest, UnknownOnesKeepTheirNames) {
  const Op op = Op::Named("", "Fancy");
  EXPECT_EQ(op, OpKind::kUnknown);
  EXPECT_EQ(op.name(), "Fancy");
  EXPECT_FALSE(op.is_foreign());
  EXPECT_TRUE(Op::Named("com.example", "Fancy").is_foreign());
  const Operator& unknown = OperatorOf(op);
  EXPECT_EQ(std::get<Absent>(unknown.evaluate), Absent::kUnknownOperator);
  EXPECT_EQ(std::get<Absent>(unknown.lower), Absent::kUnknownOperator);
}

// Advice on unknown operators is found by name, so no such name may be that of a known operator.
TEST(OperatorsTest, AdviceIsSpecific) {
  const std::string general = ProblemOfUnknown(Op::Named("", "Fancy")).reason;
  for (const char* name : {"Sigmoid", "If", "LSTM", "QLinearConv", "HardSwish", "LRN", "Pow"}) {
    const Op op = Op::Named("", name);
    EXPECT_EQ(op, OpKind::kUnknown) << name;
    EXPECT_NE(ProblemOfUnknown(op).reason, general) << name;
  }
}

}  // namespace
}  // namespace cssrun::converter
