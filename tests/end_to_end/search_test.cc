// Tests --auto on the network that ships with cssrun: the code it finds, that the other half
// confirms it, and that it finds the same code again.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "converter/convert.h"
#include "tests/end_to_end/shared_data.h"
#include "tools/image_list.h"

namespace cssrun {
namespace {

using converter::FrontierPoint;

class SearchTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string demo = std::string(CSSRUN_SOURCE_DIR) + "/tools/demo";
    auto loaded = converter::LoadModel(demo + "/digits.onnx");
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    model_ = std::move(loaded).value();
    options_.mean = {0.5F, 0.5F, 0.5F};
    options_.stddev = {0.25F, 0.25F, 0.25F};
    options_.mean.resize(model_.input.channels);
    options_.stddev.resize(model_.input.channels);
    options_.labels = tools::FolderNames(demo + "/test").value();
    images_ = LoadFolder(demo + "/test", options_.labels, model_.input);
  }

  converter::Conversion Convert() {
    auto conversion =
        converter::Convert(model_, images_, {}, options_, [](const char*, size_t, size_t) {});
    EXPECT_TRUE(conversion.ok()) << conversion.status().message();
    return std::move(conversion).value();
  }

  converter::Model model_;
  converter::ConvertOptions options_;
  converter::ImageSet images_;
};

// The expected agreement must equal the counted one, as far as so few images can tell.
TEST_F(SearchTest, TheExpectedAgreementFallsWithTheError) {
  options_.code.beta = 2;
  double last = 0;
  for (const uint32_t timesteps : {2U, 3U, 8U}) {
    options_.code.timesteps = timesteps;
    const converter::Comparison found = Convert().report.calibration;
    EXPECT_NEAR(found.expected_agreement, found.agreement, 0.08) << timesteps;
    EXPECT_GT(found.expected_agreement, last) << timesteps;
    EXPECT_LE(found.expected_agreement, 1);
    last = found.expected_agreement;
  }
  EXPECT_GT(last, 0.99);
}

TEST_F(SearchTest, ChoosesTheCheapestThatBothHalvesAccept) {
  const double synops_by_default = Convert().report.calibration.synops_per_image;
  constexpr double kTolerance = 0.005;  // of 100 images, none may differ
  options_.search = converter::CodeSearch{converter::Goal::kEnergy, 1 - kTolerance};
  options_.threads = 1;
  const converter::Conversion found = Convert();
  const std::vector<FrontierPoint>& frontier = found.report.frontier;
  ASSERT_GE(frontier.size(), 2U);
  const auto both = [](const FrontierPoint& p) { return p.agreement + p.confirmed_agreement; };
  const auto cost = [](const FrontierPoint& p) {
    return p.synops_per_image + p.direct_macs_per_image * 4.6 / 0.9;
  };
  int chosen = 0;
  for (size_t i = 0; i < frontier.size(); ++i) {
    const FrontierPoint& point = frontier[i];
    if (i > 0) {
      EXPECT_GE(cost(point), cost(frontier[i - 1]));
      EXPECT_TRUE(point.chosen || both(point) > both(frontier[i - 1]));
    }
    const bool accepted = both(point) >= 2 * (1 - kTolerance) &&
                          point.confirmed_agreement >= 1 - 2 * kTolerance &&
                          point.expected_agreement >= 1 - 2 * kTolerance;
    if (point.chosen) {
      ++chosen;
      EXPECT_TRUE(accepted);
      // The settings that were measured must be those that were written.
      EXPECT_EQ(found.report.code.timesteps, point.code.timesteps);
      EXPECT_EQ(found.report.code.silent_steps, point.code.silent_steps);
      EXPECT_LT(cost(point), synops_by_default);
    } else if (chosen == 0) {
      EXPECT_FALSE(accepted) << "a cheaper one was left";
    }
  }
  EXPECT_EQ(chosen, 1);
  EXPECT_GE(found.report.calibration.agreement, 1 - kTolerance);

  // The same agreement at the least time takes more of them.
  options_.search->goal = converter::Goal::kSpeed;
  const converter::Comparison fast = Convert().report.calibration;
  EXPECT_LT(found.report.calibration.synops_per_image +
                found.report.calibration.direct_macs_per_image * 4.6 / 0.9,
            fast.synops_per_image + fast.direct_macs_per_image * 4.6 / 0.9);
  options_.search->goal = converter::Goal::kEnergy;

  options_.threads = 2;
  const converter::Conversion again = Convert();
  ASSERT_EQ(again.bytes.size(), found.bytes.size());
  EXPECT_EQ(std::memcmp(again.bytes.data(), found.bytes.data(), found.bytes.size()), 0);
}

}  // namespace
}  // namespace cssrun
