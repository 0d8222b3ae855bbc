// Tests which resized maps are repeated ones: every mode of coordinates and rounding, against
// ONNX's formulas written out here for a factor of 2 and 3.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::TextAttribute;

struct Mode {
  const char* coordinates;
  const char* rounding;
  bool twice;   // is a repetition by 2
  bool thrice;  // and by 3
};

std::string Simplified(const Mode& mode, std::vector<float> scales, std::vector<int64_t> sizes) {
  GraphBuilder b(1, 19);
  const ValueId conv = b.Conv(b.Image(3, 8, 8), 3, 4, 3);
  std::vector<ValueId> inputs = {conv, kNoValue};
  inputs.push_back(scales.empty() ? kNoValue : b.Floats({4}, scales));
  if (!sizes.empty()) inputs.push_back(b.Ints(sizes));
  const ValueId resized = b.Op("Resize", inputs,
                               {TextAttribute("coordinate_transformation_mode", mode.coordinates),
                                TextAttribute("nearest_mode", mode.rounding)});
  Graph graph = b.Finish(b.Op("GlobalAveragePool", {resized}));
  if (Status status = RunPasses(graph); !status.ok()) return status.message();
  const auto unsupported = FindUnsupported(graph);
  if (unsupported.size() == 1) return unsupported[0].reason;
  std::string ops;
  for (const Node& node : graph.nodes) ops += node.op.name() + " ";
  return ops;
}

TEST(ResizeTest, RepetitionsAreFoundWhateverTheModeIsCalled) {
  const Mode modes[] = {
      {"asymmetric", "floor", true, true},
      {"asymmetric", "round_prefer_floor", true, false},
      {"asymmetric", "round_prefer_ceil", false, false},
      {"asymmetric", "ceil", false, false},
      {"half_pixel", "round_prefer_floor", true, true},
      {"half_pixel", "round_prefer_ceil", true, true},
      {"half_pixel", "floor", false, false},
      {"half_pixel", "ceil", false, false},
      {"pytorch_half_pixel", "round_prefer_floor", true, true},
      {"half_pixel_symmetric", "round_prefer_ceil", true, true},
      {"tf_half_pixel_for_nn", "floor", true, true},
      {"tf_half_pixel_for_nn", "ceil", false, false},
      {"align_corners", "floor", false, false},
      {"tf_crop_and_resize", "floor", false, false},
      {"asymmetric", "as_you_like", false, false},
  };
  for (const Mode& mode : modes) {
    for (const int64_t factor : {2, 3}) {
      SCOPED_TRACE(std::string(mode.coordinates) + " " + mode.rounding);
      const auto scale = static_cast<float>(factor);
      const bool repeats = factor == 2 ? mode.twice : mode.thrice;
      for (const std::string& found : {Simplified(mode, {1, 1, scale, scale}, {}),
                                       Simplified(mode, {}, {1, 4, 6 * factor, 6 * factor})}) {
        if (repeats) {
          EXPECT_EQ(found, "Conv Repeat GlobalAveragePool ");
        } else {
          EXPECT_NE(found.find("does not repeat"), std::string::npos) << found;
        }
      }
    }
  }
}

TEST(ResizeTest, EverySecondPositionIsASlice) {
  EXPECT_EQ(Simplified({"asymmetric", "floor", true, true}, {1, 1, 0.5F, 1}, {}),
            "Conv Slice GlobalAveragePool ");
  EXPECT_EQ(Simplified({"asymmetric", "floor", true, true}, {1, 1, 1, 1}, {}),
            "Conv GlobalAveragePool ");
}

}  // namespace
}  // namespace cssrun::converter
