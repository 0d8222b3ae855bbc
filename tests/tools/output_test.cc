// Tests the exact lines that scripts read.
#include "tools/output.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cssrun::tools {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

ImageResult Good() {
  ImageResult result;
  result.path = "in/cat/1.png";
  result.guesses = {{2, "cat", 3.5, 0.75}, {0, "dog", 2.25, 0.125}};
  result.margin = 1.25;
  result.steps = 8;
  return result;
}

ImageResult Graded(const std::string& truth, bool right) {
  ImageResult result = Good();
  result.truth = truth;
  result.has_truth = true;
  result.right = right;
  return result;
}

ImageResult Failed() {
  ImageResult result;
  result.path = "in/bad.png";
  result.error = "in/bad.png: a damaged PNG: it ends too soon";
  return result;
}

std::vector<size_t> Indices(const std::vector<Guess>& guesses) {
  std::vector<size_t> indices;
  for (const Guess& guess : guesses) indices.push_back(guess.index);
  return indices;
}

TEST(OutputTest, Text) {
  const OutputFormat text = OutputFormat::kText;
  EXPECT_EQ(FormatHeader(text, 2), "");
  EXPECT_EQ(FormatResult(text, Good(), 2), "in/cat/1.png  cat 75.0%  dog 12.5%\n");
  EXPECT_EQ(FormatResult(text, Graded("cat", true), 2),
            "in/cat/1.png  right   cat 75.0%  dog 12.5%\n");
  EXPECT_EQ(FormatResult(text, Graded("eel", false), 2),
            "in/cat/1.png  WRONG   cat 75.0%  dog 12.5%  (is eel)\n");
  EXPECT_EQ(FormatResult(text, Failed(), 2), "");
}

TEST(OutputTest, Csv) {
  const OutputFormat csv = OutputFormat::kCsv;
  EXPECT_EQ(FormatHeader(csv, 1), "path,truth,label1,probability1,logit1,margin,steps,error\n");
  EXPECT_EQ(
      FormatHeader(csv, 2),
      "path,truth,label1,probability1,logit1,label2,probability2,logit2,margin,steps,error\n");
  EXPECT_EQ(FormatResult(csv, Graded("cat", true), 2),
            "in/cat/1.png,cat,cat,0.750000,3.5,dog,0.125000,2.25,1.25,8,\n");
  // A line has as many columns as the header, even if values are missing.
  EXPECT_EQ(FormatResult(csv, Good(), 3),
            "in/cat/1.png,,cat,0.750000,3.5,dog,0.125000,2.25,,,,1.25,8,\n");
  EXPECT_EQ(FormatResult(csv, Failed(), 1),
            "in/bad.png,,,,,,,in/bad.png: a damaged PNG: it ends too soon\n");
}

TEST(OutputTest, CsvQuotesAsRfc4180) {
  ImageResult result = Good();
  result.path = "a,b\"c.png";
  result.guesses = {{0, "say \"x\"", 0, 1}};
  EXPECT_EQ(FormatResult(OutputFormat::kCsv, result, 1),
            "\"a,b\"\"c.png\",,\"say \"\"x\"\"\",1.000000,0,1.25,8,\n");
  // A line end in a path never breaks a row: it is escaped like every control character.
  result.path = "a\r\nb";
  EXPECT_EQ(FormatResult(OutputFormat::kCsv, result, 1).find("a\\x0d\\x0ab,"), 0U);
}

TEST(OutputTest, JsonLines) {
  const OutputFormat jsonl = OutputFormat::kJsonLines;
  EXPECT_EQ(FormatHeader(jsonl, 2), "");
  EXPECT_EQ(FormatResult(jsonl, Graded("cat", true), 2),
            R"({"path":"in/cat/1.png","truth":"cat","top":[)"
            R"({"index":2,"label":"cat","probability":0.75,"logit":3.5},)"
            R"({"index":0,"label":"dog","probability":0.125,"logit":2.25}],)"
            R"("margin":1.25,"steps":8,"error":null})"
            "\n");
  EXPECT_EQ(FormatResult(jsonl, Failed(), 2),
            R"({"path":"in/bad.png","truth":null,"top":[],"margin":null,"steps":null,)"
            R"("error":"in/bad.png: a damaged PNG: it ends too soon"})"
            "\n");
}

TEST(OutputTest, NamesCannotBreakALine) {
  ImageResult result = Good();
  result.path = "a\nb\x1b[31m\xff\"\\.png";
  result.guesses[0].label = "l\n\x1b";
  for (const OutputFormat format :
       {OutputFormat::kText, OutputFormat::kCsv, OutputFormat::kJsonLines}) {
    const std::string line = FormatResult(format, result, 2);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\xff'), std::string::npos);
  }
  const auto json =
      nlohmann::json::parse(FormatResult(OutputFormat::kJsonLines, result, 2), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["path"], "a\nb\x1b[31m\uFFFD\"\\.png");
}

TEST(OutputTest, NumbersThatAreNotFiniteStayValidJson) {
  ImageResult result = Good();
  result.guesses[0].logit = std::numeric_limits<double>::infinity();
  result.margin = std::nan("");
  const auto json =
      nlohmann::json::parse(FormatResult(OutputFormat::kJsonLines, result, 2), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_TRUE(json["top"][0]["logit"].is_null());
  EXPECT_TRUE(json["margin"].is_null());
}

TEST(BestGuessesTest, LargestFirstEqualOnesByIndex) {
  EXPECT_EQ(Indices(BestGuesses({1, 4, 2, 4, 3}, {}, 4)), (std::vector<size_t>{1, 3, 4, 2}));
  EXPECT_EQ(Indices(BestGuesses({0, 0, 0}, {}, 2)), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(BestGuesses({1, 2}, {}, 9).size(), 2U);
  EXPECT_EQ(BestGuesses({5}, {}, 2).size(), 1U);
}

TEST(BestGuessesTest, LabelsOrTheIndex) {
  EXPECT_EQ(BestGuesses({1, 2}, {"a", "b"}, 1)[0].label, "b");
  EXPECT_EQ(BestGuesses({1, 2}, {}, 1)[0].label, "1");
}

TEST(BestGuessesTest, ProbabilitiesAreASoftmaxOverAllLogits) {
  const std::vector<Guess> guesses = BestGuesses({0, std::log(2.0F), 0}, {}, 2);
  EXPECT_NEAR(guesses[0].probability, 0.5, 1e-6);
  EXPECT_NEAR(guesses[1].probability, 0.25, 1e-6);
  // Large logits must not overflow.
  EXPECT_NEAR(BestGuesses({3000, 3000}, {}, 1)[0].probability, 0.5, 1e-12);
  EXPECT_EQ(BestGuesses({-3000, 3000}, {}, 2)[1].probability, 0);
}

TEST(BestGuessesTest, WhatIsNotANumberComesLast) {
  EXPECT_EQ(Indices(BestGuesses({kNaN, 1, kNaN, 2}, {}, 4)), (std::vector<size_t>{3, 1, 0, 2}));
  EXPECT_EQ(Indices(BestGuesses({kNaN, kNaN}, {}, 1)), (std::vector<size_t>{0}));
}

}  // namespace
}  // namespace cssrun::tools
