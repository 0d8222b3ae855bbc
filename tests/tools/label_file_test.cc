// Tests files with class names, one a line.
#include "tools/label_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tools/temporary_folder.h"

namespace cssrun::tools {
namespace {

using Labels = std::vector<std::string>;
using std::string_view_literals::operator""sv;  // NOLINT(misc-unused-using-decls): it is used

TEST(LabelFileTest, LinesOfEitherKind) {
  EXPECT_EQ(ParseLabels("a\nb b\r\n\nd"), (Labels{"a", "b b", "", "d"}));
  EXPECT_EQ(ParseLabels("a\n\n\r\n"), Labels{"a"});
  EXPECT_EQ(ParseLabels(""), Labels{});
  EXPECT_EQ(ParseLabels("\n"), Labels{});
  EXPECT_EQ(ParseLabels("a\0b\nc"sv), (Labels{std::string("a\0b"sv), "c"}));
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
