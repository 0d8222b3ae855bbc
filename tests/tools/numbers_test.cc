// Tests the exact bytes and lines that scripts read.
#include "tools/numbers.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cssrun::tools {
namespace {

const std::vector<OutputInfo> kMap = {{"mask", {2, 1, 3}, 0}};
const std::vector<OutputInfo> kTwo = {{"boxes", {2, 2}, 0}, {"it's", {}, 4}};

// The text of the header, and where it ends.
std::string HeaderText(const std::string& bytes) {
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x02\x00", 8));
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, 4);
  EXPECT_EQ(bytes.size(), 12 + length);
  EXPECT_EQ(bytes.size() % 64, 0U);
  EXPECT_EQ(bytes.back(), '\n');
  const std::string text = bytes.substr(12);
  return text.substr(0, text.find_last_not_of(" \n") + 1);
}

TEST(NumbersTest, NpyOfOneOutputIsAnArray) {
  EXPECT_EQ(HeaderText(NpyHeader(kMap, 7)),
            "{'descr': '<f4', 'fortran_order': False, 'shape': (7, 2, 1, 3), }");
  const std::vector<float> numbers = {1, 2, 3, 4, 5, 6};
  const std::string record = NpyRecord(kMap, numbers);
  ASSERT_EQ(record.size(), 24U);
  EXPECT_EQ(std::memcmp(record.data(), numbers.data(), 24), 0);
}

TEST(NumbersTest, NpyOfSeveralOutputsIsAnArrayOfRecords) {
  EXPECT_EQ(HeaderText(NpyHeader(kTwo, 7)),
            "{'descr': [('boxes', '<f4', (2, 2)), ('it_s', '<f4', ())], 'fortran_order': False, "
            "'shape': (7,), }");
  EXPECT_EQ(NpyRecord(kTwo, std::vector<float>{1, 2, 3, 4, 5}).size(), 20U);
}

TEST(NumbersTest, FieldsHaveDifferentNames) {
  const std::vector<OutputInfo> same = {{"a'", {1}, 0}, {"a\\", {1}, 1}, {"", {1}, 2}};
  const std::string text = HeaderText(NpyHeader(same, 1));
  EXPECT_NE(text.find("('a_', "), std::string::npos) << text;
  EXPECT_NE(text.find("('a__2', "), std::string::npos) << text;
  EXPECT_NE(text.find("('output', "), std::string::npos) << text;
}

TEST(NumbersTest, AnImageThatFailedIsNaN) {
  const std::string record = NpyRecord(kMap, {});
  ASSERT_EQ(record.size(), 24U);
  for (size_t i = 0; i < 6; ++i) {
    float number = 0;
    std::memcpy(&number, record.data() + 4 * i, 4);
    EXPECT_TRUE(std::isnan(number));
  }
}

TEST(NumbersTest, Text) {
  EXPECT_EQ(NumbersText("a.png", kMap, std::vector<float>{1, 2, 3, 4, 5, 6}),
            "a.png  mask [2, 1, 3]: 1 to 6, mean 3.5\n");
}

TEST(NumbersTest, JsonReadsAsTheSameFloats) {
  const std::vector<float> numbers = {0.1F, -1e-30F, 3, std::numeric_limits<float>::infinity(), 5};
  const std::string line = NumbersJson("a \"b\".png", kTwo, numbers, 9, "");
  EXPECT_EQ(line.back(), '\n');
  const nlohmann::json json = nlohmann::json::parse(line);
  EXPECT_EQ(json["path"], "a \"b\".png");
  EXPECT_EQ(json["steps"], 9);
  EXPECT_TRUE(json["error"].is_null());
  ASSERT_EQ(json["outputs"].size(), 2U);
  EXPECT_EQ(json["outputs"][0]["name"], "boxes");
  EXPECT_EQ(json["outputs"][0]["shape"], (std::vector<int>{2, 2}));
  EXPECT_EQ(json["outputs"][0]["data"][0].get<float>(), 0.1F);
  EXPECT_EQ(json["outputs"][0]["data"][1].get<float>(), -1e-30F);
  EXPECT_TRUE(json["outputs"][0]["data"][3].is_null());
  EXPECT_EQ(json["outputs"][1]["shape"], nlohmann::json::array());
  EXPECT_EQ(json["outputs"][1]["data"][0].get<float>(), 5);
}

TEST(NumbersTest, JsonOfAnError) {
  const nlohmann::json json = nlohmann::json::parse(NumbersJson("a.png", kTwo, {}, 0, "damaged"));
  EXPECT_EQ(json["outputs"], nlohmann::json::array());
  EXPECT_EQ(json["error"], "damaged");
  EXPECT_TRUE(json["steps"].is_null());
}

}  // namespace
}  // namespace cssrun::tools
