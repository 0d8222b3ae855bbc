// Tests which images a command line names, in which order, and the classes known for them.
#include "tools/image_list.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/encode_images.h"

namespace cssrun::tools {
namespace {

namespace fs = std::filesystem;
using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): it is used

class ImageListTest : public testing::Test {
 protected:
  void Touch(const std::string& name) { folder_.Write(name, "x"); }

  std::vector<ImageFile> List(const std::vector<std::string>& paths,
                              const std::vector<std::string>& labels = {},
                              const std::string& input = "") {
    std::istringstream standard_input(input);
    Result<std::vector<ImageFile>> images = ListImages(paths, labels, standard_input);
    EXPECT_TRUE(images.ok()) << images.status().message();
    return images.ok() ? std::move(images).value() : std::vector<ImageFile>();
  }

  // Lists entries such as "a/b.png=2": the path below the folder, and the class where it is known.
  std::vector<std::string> ListFolder(const std::vector<std::string>& labels = {}) {
    std::vector<std::string> names;
    for (const ImageFile& image : List({folder_.path().string()}, labels)) {
      std::string name = fs::path(image.path).lexically_relative(folder_.path()).string();
      if (image.truth != kUnknownTruth) name.append("=").append(std::to_string(image.truth));
      names.push_back(name);
    }
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(ImageListTest, FoldersGiveImagesOnlyInAnyCase) {
  for (const char* name :
       {"a.jpg", "b.JPEG", "c.Png", "d.PPM", "e.pgm", "f.gif", "g.txt", "h", "i.png.txt", "j.jpg~",
        "k.jfif", "l.JPE", "m.webp", "n.BMP", "o.pbm", "png"}) {
    Touch(name);
  }
  EXPECT_EQ(ListFolder(),
            (std::vector<std::string>{"a.jpg", "b.JPEG", "c.Png", "d.PPM", "e.pgm", "k.jfif",
                                      "l.JPE", "m.webp", "n.BMP", "o.pbm"}));
}

TEST_F(ImageListTest, WhatIsLeftOutIsCounted) {
  for (const char* name : {"a.jpg", "a/b.gif", "c.TIF", "d.tif", "e.txt", "f.json", "g", "h.avif",
                           ".hidden.gif", "link.gif/x.png"}) {
    Touch(name);
  }
  // An extension that says nothing, and none at all, on images.
  folder_.Write("i.1", EncodePng(PatternImage(2, 2)));
  folder_.Write("j", EncodeJpeg(PatternImage(2, 2), JpegKind::kColor));
  ASSERT_EQ(mkfifo((folder_ / "pipe.gif").c_str(), 0600), 0);
  std::istringstream none;
  LeftOut left_out = {{".heic", 1}};  // of an earlier folder
  ASSERT_TRUE(ListImages({folder_.path().string()}, {}, none, &left_out).ok());
  EXPECT_EQ(left_out,
            (LeftOut{{"", 1}, {".1", 1}, {".avif", 1}, {".gif", 1}, {".heic", 1}, {".tif", 2}}));
  const std::string text = DescribeLeftOut(left_out);
  EXPECT_NE(text.find("7 images are left out"), std::string::npos) << text;
  EXPECT_NE(text.find("1 without extension, 1 .1, 1 .avif, 1 .gif, 1 .heic, 2 .tif"),
            std::string::npos)
      << text;
  EXPECT_EQ(DescribeLeftOut({}), "");
}

TEST_F(ImageListTest, SortedBytewiseByPath) {
  for (const char* name : {"b/1.png", "B.png", "a/z.png", "a.png", "a/10.png", "a/2.png",
                           "\xC3\xA4.png", "z.png", "a-b/1.png"}) {
    Touch(name);
  }
  EXPECT_EQ(ListFolder(),
            (std::vector<std::string>{"B.png", "a-b/1.png", "a.png", "a/10.png", "a/2.png",
                                      "a/z.png", "b/1.png", "z.png", "\xC3\xA4.png"}));
}

TEST_F(ImageListTest, HiddenNamesAreSkipped) {
  for (const char* name :
       {".hidden.png", ".folder/a.png", ".folder/sub/b.png", "seen/a.png", "seen/.b.png", ".png"}) {
    Touch(name);
  }
  EXPECT_EQ(ListFolder(), (std::vector<std::string>{"seen/a.png"}));
}

TEST_F(ImageListTest, AFolderNamedLikeAnImageIsAFolder) {
  Touch("a.png/b.png");
  EXPECT_EQ(ListFolder(), (std::vector<std::string>{"a.png/b.png"}));
}

TEST_F(ImageListTest, LinksToFoldersAreNotFollowed) {
  Touch("real/a.png");
  fs::create_directory_symlink(folder_.path(), folder_ / "real/up");
  fs::create_directory_symlink(folder_ / "real", folder_ / "twin");
  fs::create_symlink("self.png", folder_ / "self.png");
  fs::create_symlink("a.png", folder_ / "real/b.png");
  // A link to an image counts as an image. A broken link is listed, so that its failure is
  // reported.
  EXPECT_EQ(ListFolder(), (std::vector<std::string>{"real/a.png", "real/b.png", "self.png"}));
}

TEST_F(ImageListTest, ALinkThatWasNamedIsFollowed) {
  Touch("real/a.png");
  fs::create_directory_symlink(folder_ / "real", folder_ / "twin");
  EXPECT_EQ(List({folder_ / "twin"}).size(), 1U);
}

TEST_F(ImageListTest, TruthGoesByNameNeverByPosition) {
  for (const char* name : {"cat/1.png", "dog/1.png", "zebra/1.png", "top.png"}) Touch(name);
  EXPECT_EQ(ListFolder({"dog", "ant", "cat"}),
            (std::vector<std::string>{"cat/1.png=2", "dog/1.png=0", "top.png", "zebra/1.png"}));
  EXPECT_EQ(ListFolder({"Cat", "do", "dogs"}),
            (std::vector<std::string>{"cat/1.png", "dog/1.png", "top.png", "zebra/1.png"}));
  EXPECT_EQ(ListFolder(),
            (std::vector<std::string>{"cat/1.png", "dog/1.png", "top.png", "zebra/1.png"}));
}

TEST_F(ImageListTest, TheNearestFolderWins) {
  for (const char* name : {"cat/dog/1.png", "cat/other/deep/1.png", "other/cat/1.png"}) Touch(name);
  EXPECT_EQ(
      ListFolder({"cat", "dog"}),
      (std::vector<std::string>{"cat/dog/1.png=1", "cat/other/deep/1.png=0", "other/cat/1.png=0"}));
}

TEST_F(ImageListTest, OnlyFoldersBelowTheOneThatWasNamedCount) {
  Touch("cat/1.png");
  const std::vector<ImageFile> images = List({folder_ / "cat"}, {"cat"});
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0].truth, kUnknownTruth);
  EXPECT_EQ(List({folder_ / "cat/1.png"}, {"cat"})[0].truth, kUnknownTruth);
}

TEST_F(ImageListTest, HowTheFolderIsWrittenDoesNotMatter) {
  Touch("set/cat/1.png");
  for (const std::string& path : {folder_ / "set", folder_ / "set/", folder_ / "set//",
                                  folder_ / "set/.", folder_ / "./set", folder_ / "set/../set"}) {
    const std::vector<ImageFile> images = List({path}, {"cat"});
    ASSERT_EQ(images.size(), 1U) << path;
    EXPECT_EQ(images[0].truth, 0) << path;
    EXPECT_TRUE(fs::exists(images[0].path)) << images[0].path;
  }
}

TEST_F(ImageListTest, LabelsThatOccurTwiceMeanTheFirst) {
  Touch("cat/1.png");
  EXPECT_EQ(ListFolder({"dog", "cat", "cat"}), (std::vector<std::string>{"cat/1.png=1"}));
}

TEST_F(ImageListTest, FilesAreTakenAsTheyAreInTheOrderGiven) {
  Touch("b.png");
  Touch("a.data");
  const std::vector<ImageFile> images = List({folder_ / "b.png", folder_ / "a.data"});
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].path, folder_ / "b.png");
  EXPECT_EQ(images[1].path, folder_ / "a.data");
}

TEST_F(ImageListTest, WhatDoesNotExistIsAnIoError) {
  for (const std::string& path : {folder_ / "missing", "a\0b"s, ""s, folder_ / "a/b/c"}) {
    std::istringstream none;
    const Status status = ListImages({path}, {}, none).status();
    EXPECT_EQ(status.code(), StatusCode::kIo) << path;
    EXPECT_EQ(status.message().find(path), 0U) << status.message();
  }
}

TEST_F(ImageListTest, AnEmptyFolderIsAnEmptyList) { EXPECT_TRUE(ListFolder().empty()); }

TEST_F(ImageListTest, ADashReadsAListThatIsNotChecked) {
  const std::vector<ImageFile> images = List({"-"}, {}, "b.png\n\na b.jpg\nlast");
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[0].path, "b.png");
  EXPECT_EQ(images[1].path, "a b.jpg");
  EXPECT_EQ(images[2].path, "last");
}

TEST(ReadPathsTest, SeparatorsAndEmptyEntries) {
  std::istringstream lines("a\nb c\n\nd");
  EXPECT_EQ(ReadPaths(lines, '\n', "list").value(), (std::vector<std::string>{"a", "b c", "d"}));
  std::istringstream nuls("a\nb\0\0c\0"s);
  EXPECT_EQ(ReadPaths(nuls, '\0', "list").value(), (std::vector<std::string>{"a\nb", "c"}));
  std::istringstream none("");
  EXPECT_TRUE(ReadPaths(none, '\n', "list").value().empty());
}

// Reading stops at an entry longer than any path, before it fills the memory.
TEST(ReadPathsTest, WhatIsLongerThanAnyPathIsRefused) {
  std::istringstream longest(std::string(4096, 'a') + "\nb");
  EXPECT_EQ(ReadPaths(longest, '\n', "list").value().size(), 2U);
  std::istringstream longer("b\n" + std::string(4097, 'a'));
  const Status status = ReadPaths(longer, '\n', "list").status();
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_EQ(status.message().rfind("list: path 2 ", 0), 0U) << status.message();
  EXPECT_EQ(ReadPathsFrom("/dev/zero", '\0').status().code(), StatusCode::kIo);
  EXPECT_EQ(ReadPathsFrom("/no/such/list", '\0').status().code(), StatusCode::kIo);
}

TEST_F(ImageListTest, FolderNames) {
  for (const char* name : {"b/x", "a/y/z", ".hidden/x", "file"}) Touch(name);
  const Result<std::vector<std::string>> names = FolderNames(folder_.path().string());
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(names.value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(FolderNames(folder_ / "missing").status().code(), StatusCode::kIo);
  EXPECT_EQ(FolderNames(folder_ / "file").status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace cssrun::tools
