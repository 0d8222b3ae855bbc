// Tests which options may stand together, and what they mean: of cssconvert and of the Python
// module.
#include "converter/choose_code.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace cssrun::converter {
namespace {

std::string ErrorOf(const AskedSearch& asked,
                    const std::optional<CodeSettings>& quantized = std::nullopt) {
  const Result<std::optional<CodeSearch>> search = ChooseSearch(asked, quantized, "--");
  return search.ok() ? "" : search.status().message();
}

CodeSearch SearchOf(const AskedSearch& asked) {
  const Result<std::optional<CodeSearch>> search = ChooseSearch(asked, std::nullopt, "--");
  EXPECT_TRUE(search.ok()) << search.status().message();
  EXPECT_TRUE(search.value().has_value());
  return search.value().value_or(CodeSearch());
}

TEST(ChooseSearchTest, TheDefaultIsSpeedAndEnoughAgreement) {
  const CodeSearch search = SearchOf({});
  EXPECT_EQ(search.goal, Goal::kSpeed);
  EXPECT_EQ(search.agreement, kEnoughAgreement);
  AskedSearch asked;
  asked.amplitudes = {"amplitudes"};
  EXPECT_EQ(SearchOf(asked).goal, Goal::kSpeed);
}

TEST(ChooseSearchTest, ACodeThatIsNamedIsNotSearchedFor) {
  AskedSearch asked;
  asked.code = {"beta"};
  EXPECT_FALSE(ChooseSearch(asked, std::nullopt, "--").value().has_value());
  EXPECT_FALSE(ChooseSearch({}, CodeSettings(), "--").value().has_value());
}

TEST(ChooseSearchTest, TheWantedAgreementHoldsForEachGoal) {
  for (const Goal goal : {Goal::kSpeed, Goal::kEnergy, Goal::kLatencySteps}) {
    AskedSearch asked;
    asked.goal = goal;
    EXPECT_EQ(SearchOf(asked).agreement, kEnoughAgreement);
    asked.agree = 99;
    EXPECT_EQ(SearchOf(asked).goal, goal);
    EXPECT_DOUBLE_EQ(SearchOf(asked).agreement, 0.99);
  }
}

TEST(ChooseSearchTest, AutoIsTheGoalOfEnergyWithThePercentThatMayDiffer) {
  AskedSearch asked;
  asked.automatic = 2;
  EXPECT_EQ(SearchOf(asked).goal, Goal::kEnergy);
  EXPECT_DOUBLE_EQ(SearchOf(asked).agreement, 0.98);
}

TEST(ChooseSearchTest, PercentsAreInRange) {
  for (const double agree : {0.99, 49.9, 100.1, -1.0}) {
    AskedSearch asked;
    asked.agree = agree;
    EXPECT_NE(ErrorOf(asked).find("--agree"), std::string::npos) << agree;
    EXPECT_NE(ErrorOf(asked).find("between 50 and 100 percent"), std::string::npos) << agree;
  }
  AskedSearch asked;
  asked.automatic = 101;
  EXPECT_EQ(ErrorOf(asked), "--auto 101: between 0 and 100 percent");
}

TEST(ChooseSearchTest, EachContradictionNamesBothOptions) {
  AskedSearch agree;
  agree.agree = 99;
  agree.code = {"timesteps", "beta"};
  EXPECT_EQ(
      ErrorOf(agree),
      "--timesteps: --agree is for a code that is chosen by measurement; leave one of the two out");
  AskedSearch goal;
  goal.goal = Goal::kLatencySteps;
  goal.code = {"paper"};
  EXPECT_EQ(ErrorOf(goal), "--paper: --goal chooses it; leave one of the two out");
  AskedSearch energy;
  energy.goal = Goal::kEnergy;
  energy.amplitudes = {"adjust"};
  EXPECT_EQ(ErrorOf(energy), "--adjust: --goal chooses it; leave one of the two out");
  energy.goal = Goal::kSpeed;  // which leaves amplitudes alone
  EXPECT_EQ(ErrorOf(energy), "");
  AskedSearch both;
  both.automatic = 1;
  both.goal = Goal::kEnergy;
  EXPECT_EQ(ErrorOf(both), "--goal: --auto is --goal energy; leave one of the two out");
  both.goal.reset();
  both.agree = 99;
  EXPECT_NE(ErrorOf(both).find("--agree: the percent of --auto"), std::string::npos);
}

TEST(ChooseSearchTest, AQuantizedModelBringsItsCode) {
  for (const char* option : {"goal", "agree", "auto"}) {
    AskedSearch asked;
    const std::string name = option;
    if (name == "goal") asked.goal = Goal::kSpeed;
    if (name == "agree") asked.agree = 99;
    if (name == "auto") asked.automatic = 1;
    EXPECT_EQ(
        ErrorOf(asked, CodeSettings()),
        "--" + name + ": the model is quantized and brings its own code; leave --" + name + " out");
  }
}

TEST(ChooseCodeTest, ThePapersCodeGivesWayToWhatIsNamed) {
  AskedCode asked;
  asked.paper = true;
  CodeSettings code = ChooseCode(asked, std::nullopt, "--").value();
  EXPECT_EQ(code.timesteps, 12U);
  EXPECT_EQ(code.beta, 1.5F);
  EXPECT_EQ(code.silent_steps, 1U);
  EXPECT_EQ(code.threshold, 0.5F);
  asked.timesteps = 8;
  code = ChooseCode(asked, std::nullopt, "--").value();
  EXPECT_EQ(code.timesteps, 8U);
  EXPECT_EQ(code.silent_steps, 1U);
  asked.coding = Coding::kRate;
  EXPECT_EQ(ChooseCode(asked, std::nullopt, "--").status().message(),
            "--paper: a rate code has none; leave it out with --coding rate");
}

}  // namespace
}  // namespace cssrun::converter
