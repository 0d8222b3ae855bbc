// Checks that kinds of files are told by their first bytes.
#include "tools/file_kinds.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/temporary_folder.h"

namespace cssrun::tools {
namespace {

using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): it is used

FileKind KindOf(const std::string& text, Marks marks = Marks::kSure) {
  return RecognizeFile({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, marks);
}

std::string Tar(const std::string& first_name) {
  return first_name + std::string(257 - first_name.size(), '\0') + "ustar";
}

TEST(FileKindsTest, AreToldByTheirMarks) {
  const std::pair<std::string, FileKind> files[] = {{"\xFF\xD8\xFF\xE0"s, FileKind::kJpeg},
                                                    {"RIFF....WEBPVP8 "s, FileKind::kWebp},
                                                    {"RIFF....AVI LIST"s, FileKind::kAvi},
                                                    {"RIFF....WAVE"s, FileKind::kUnknown},
                                                    {"MM\0*\0\0\0\x08"s, FileKind::kTiff},
                                                    {"#!AER-DAT4.0\r\n"s, FileKind::kAedat},
                                                    {"\x89HDF\r\n\x1A\n"s, FileKind::kHdf5},
                                                    {"\0\0\0\x18"s
                                                     "ftypmif1",
                                                     FileKind::kHeic},
                                                    {"\0\0\0\x18"s
                                                     "ftypisom",
                                                     FileKind::kMp4},
                                                    {"\0\0\0\x18"s
                                                     "ftypiso",
                                                     FileKind::kUnknown},
                                                    {"\xFE\xFF\0a"s, FileKind::kUtf16},
                                                    {"t,x,y,p\n"s, FileKind::kUnknown},
                                                    {""s, FileKind::kUnknown}};
  for (const auto& [text, kind] : files) EXPECT_EQ(KindOf(text), kind) << text;
}

TEST(FileKindsTest, TwoLettersAreNoSureMark) {
  for (const std::string text : {"BM", "P1", "P6"}) {
    EXPECT_EQ(KindOf(text + " and so on"), FileKind::kUnknown) << text;
    EXPECT_TRUE(IsDecodedImage(KindOf(text + " and so on", Marks::kAll))) << text;
    // Whose first file is in a folder of that name.
    EXPECT_EQ(KindOf(Tar(text + "/1.bin")), FileKind::kTar) << text;
  }
  EXPECT_EQ(KindOf(Tar("1.bin").substr(0, 261)), FileKind::kUnknown);
}

TEST(FileKindsTest, EveryKindHasAName) {
  for (int i = 1; i <= static_cast<int>(FileKind::kUtf16); ++i) {
    const auto kind = static_cast<FileKind>(i);
    EXPECT_TRUE(std::string(NameOf(kind)).starts_with("a")) << i;
    EXPECT_GE(MarkOf(kind).size(), 2U) << i;
  }
  EXPECT_EQ(NameOf(FileKind::kUnknown), ""s);
  EXPECT_TRUE(IsImage(FileKind::kJpeg) && IsImage(FileKind::kHeic));
  EXPECT_FALSE(IsImage(FileKind::kUnknown) || IsImage(FileKind::kAedat));
  EXPECT_FALSE(IsDecodedImage(FileKind::kTiff));
}

TEST(FileKindsTest, OnlyTheBeginningOfAFileIsRead) {
  TemporaryFolder folder;
  folder.Write("long", std::string(5000, 'x'));
  folder.Write("short", "GIF89a");
  EXPECT_EQ(BeginOf((folder / "long")).size(), 4096U);
  EXPECT_EQ(RecognizeFile(BeginOf(folder / "short")), FileKind::kGif);
  EXPECT_TRUE(BeginOf(folder / "none").empty());
  EXPECT_TRUE(BeginOf(folder.path().string()).empty());
}

}  // namespace
}  // namespace cssrun::tools
