// Tests files with class names, one a line.
#include "tools/label_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace cssrun::tools {
namespace {

using Labels = std::vector<std::string>;
using std::string_view_literals::operator""sv;  // NOLINT(misc-unused-using-decls): it is used

TEST(LabelFileTest, LinesOfEitherKind) {
  EXPECT_EQ(ParseLabels("a\nb b\r\n\nd"), (Labels{"a", "b b", "", "d"}));
  EXPECT_EQ(ParseLabels("a\n\n\r\n"), Labels{"a"});
  EXPECT_EQ(ParseLabels("a\rb\rc"), (Labels{"a", "b", "c"}));
  EXPECT_EQ(ParseLabels("a\r\r\nb\n\rc\r"), (Labels{"a", "", "b", "", "c"}));
  EXPECT_EQ(ParseLabels("a b \n c\t\r\n \n"), (Labels{"a b", " c"}));
  EXPECT_EQ(ParseLabels(""), Labels{});
  EXPECT_EQ(ParseLabels("\n"), Labels{});
  EXPECT_EQ(ParseLabels("a\0b\nc"sv), (Labels{std::string("a\0b"sv), "c"}));
}

TEST(LabelFileTest, AByteOrderMarkIsNoPartOfAName) {
  EXPECT_EQ(ParseLabels("\xEF\xBB\xBF"
                        "cat\r\ndog\r\n"),
            (Labels{"cat", "dog"}));
  EXPECT_EQ(ParseLabels("\xEF\xBB\xBF"), Labels{});
  EXPECT_EQ(ParseLabels("cat\n\xEF\xBB\xBF"
                        "dog"),
            (Labels{"cat",
                    "\xEF\xBB\xBF"
                    "dog"}));
  const TemporaryFolder folder;
  for (const std::string_view text : {"\xFF\xFE"
                                      "c\0\n\0"sv,
                                      "\xFE\xFF\0c\0\n"sv}) {
    const Status status = ReadLabels(folder.Write("wide", std::string(text))).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("UTF-16"), std::string::npos) << status.message();
  }
}

TEST(TwinsTest, TheBetterOfTwoClassesOfOneNameIsTheTruth) {
  const Twins twins({"crane", "cat", "crane", "dog"});
  EXPECT_EQ(twins.Best({1, 5, 2, 0}, 0), 2);
  EXPECT_EQ(twins.Best({2, 5, 1, 0}, 2), 0);
  EXPECT_EQ(twins.Best({1, 5, 1, 0}, 2), 0);  // of equals the first
  EXPECT_EQ(twins.Best({1, 5, 2, 9}, 1), 1);
  EXPECT_EQ(twins.Best({1, 5, 2, 0}, -1), -1);
  EXPECT_EQ(twins.Best({}, 2), 2);  // a failed image
  EXPECT_EQ(Twins({}).Best({1, 2}, -1), -1);
}

TEST(TwinsTest, TheyAreNamed) {
  EXPECT_EQ(DescribeTwins({"a", "b"}), "");
  EXPECT_EQ(DescribeTwins({}), "");
  const std::string one = DescribeTwins({"crane", "cat", "crane"});
  EXPECT_NE(one.find("1 label is the name of several classes (crane)"), std::string::npos) << one;
  const std::string many =
      DescribeTwins({"a", "a", "b", "b", "c", "c", "d", "d", "e", "e", "f", "f"});
  EXPECT_NE(many.find("6 labels"), std::string::npos) << many;
  EXPECT_NE(many.find("(a, b, c, d, e, ...)"), std::string::npos) << many;
}

TEST(LabelFileTest, OnlyFilesAreRead) {
  const TemporaryFolder folder;
  EXPECT_EQ(ReadLabels(folder.Write("labels", "cat\ndog\n")).value(), (Labels{"cat", "dog"}));
  for (const std::string& path : {folder / "missing", folder.path().string(),
                                  std::string("/dev/zero"), folder.Write("empty", "")}) {
    const Status status = ReadLabels(path).status();
    EXPECT_EQ(status.code(), StatusCode::kIo) << path;
    EXPECT_EQ(status.message().rfind(path + ": ", 0), 0U) << status.message();
  }
}

}  // namespace
}  // namespace cssrun::tools
