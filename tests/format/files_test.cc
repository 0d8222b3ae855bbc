// Checks how files and descriptors are opened, and that writing leaves the old file or the new one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "format/file_bytes.h"
#include "format/network_file.h"
#include "format/write_atomically.h"
#include "tests/oracle/random_network.h"
#include "tests/temporary_folder.h"

namespace cssrun {
namespace {

class FilesTest : public testing::Test {
 protected:
  const TemporaryFolder temporary_;
  const std::filesystem::path& folder_ = temporary_.path();
};

TEST_F(FilesTest, MissingFileDirectoryAndEmptyFile) {
  EXPECT_EQ(format::NetworkFile::Open((folder_ / "none.fb").string()).status().code(),
            StatusCode::kIo);
  EXPECT_EQ(format::NetworkFile::Open(folder_.string()).status().code(), StatusCode::kIo);
  std::ofstream(folder_ / "empty.fb").flush();
  const Status empty = format::NetworkFile::Open((folder_ / "empty.fb").string()).status();
  EXPECT_EQ(empty.code(), StatusCode::kBadModel);
  EXPECT_NE(empty.message().find("empty.fb"), std::string::npos);
}

// An application may open the file itself. The descriptor stays open, and is read from its
// beginning.
TEST_F(FilesTest, OpensADescriptor) {
  const std::string path = (folder_ / "net.fb").string();
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(oracle::SmallNetwork());
  ASSERT_TRUE(format::WriteFileAtomically(path, {bytes.data(), bytes.size()}).ok());
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(lseek(descriptor, 7, SEEK_SET), 7);
  for (int i = 0; i < 2; ++i) {
    const Result<format::NetworkFile> file =
        format::NetworkFile::FromDescriptor(descriptor, "mine");
    EXPECT_TRUE(file.ok()) << file.status().message();
  }
  EXPECT_EQ(lseek(descriptor, 0, SEEK_CUR), 7);
  NetworkLimits limits;
  limits.layers = 1;
  EXPECT_EQ(format::NetworkFile::FromDescriptor(descriptor, "mine", limits).status().code(),
            StatusCode::kBadModel);
  ASSERT_EQ(close(descriptor), 0);
  const Status closed = format::NetworkFile::FromDescriptor(descriptor, "mine").status();
  EXPECT_EQ(closed.code(), StatusCode::kIo);
  EXPECT_EQ(closed.message().find("mine: "), 0U) << closed.message();
}

TEST_F(FilesTest, ADescriptorThatCannotBeReadIsAnError) {
  const std::string path = (folder_ / "net.fb").string();
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(write(descriptor, "net", 3), 3);
  EXPECT_EQ(format::NetworkFile::FromDescriptor(descriptor, "mine").status().code(),
            StatusCode::kIo);
  close(descriptor);
}

// The message has no remedy where no limit can be raised.
TEST_F(FilesTest, AFileBeyondTheLimitIsNotRead) {
  const std::string path = (folder_ / "big").string();
  std::ofstream(path) << "twelve bytes";
  EXPECT_TRUE(format::ReadFileBytes(path, 12).ok());
  const Status status =
      format::ReadFileBytes(path, 11, StatusCode::kInvalidArgument, "; raise the limit").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), path + ": 12 bytes, more than the limit of 11; raise the limit");
  EXPECT_EQ(format::ReadFileBytes(path, 11).status().code(), StatusCode::kBadModel);
  // The sparse file has a terabyte, and only its size may be read; 32 bits of it would be twelve
  // bytes.
  std::filesystem::resize_file(path, (uintmax_t{1} << 40) + 12);
  EXPECT_EQ(format::NetworkFile::Open(path).status().code(), StatusCode::kBadModel);
  EXPECT_EQ(format::ReadFileBytes(path, 12).status().message(),
            path + ": 1099511627788 bytes, more than the limit of 12");
}

TEST_F(FilesTest, WritesReplaceAtomicallyAndLeaveNothingBehind) {
  const std::string path = (folder_ / "net.fb").string();
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(oracle::SmallNetwork());
  ASSERT_TRUE(format::WriteFileAtomically(path, {bytes.data(), bytes.size()}).ok());
  ASSERT_TRUE(format::WriteFileAtomically(path, {bytes.data(), bytes.size()}).ok());
  EXPECT_TRUE(format::NetworkFile::Open(path).ok());
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1U);

  const Status status = format::WriteFileAtomically((folder_ / "no" / "net.fb").string(), {});
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("net.fb"), std::string::npos);
}

TEST_F(FilesTest, AFailedWriteKeepsTheOldFile) {
  // A directory cannot be replaced by a file: the rename fails after everything was written.
  const std::filesystem::path path = folder_ / "net.fb";
  std::filesystem::create_directory(path);
  const std::vector<uint8_t> bytes(10, 1);
  EXPECT_EQ(format::WriteFileAtomically(path.string(), bytes).code(), StatusCode::kIo);
  EXPECT_TRUE(std::filesystem::is_directory(path));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1U);
}

// As root, a file would take the place of /dev/null, for every program of the machine.
TEST_F(FilesTest, APipeIsWrittenToAndNotReplaced) {
  const std::string path = (folder_ / "pipe").string();
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  const std::vector<uint8_t> bytes = {'n', 'e', 't'};
  const Status written = format::WriteFileAtomically(path, bytes);
  EXPECT_TRUE(written.ok()) << written.message();
  std::array<char, 8> came = {};
  EXPECT_EQ(read(reader, came.data(), came.size()), 3);
  EXPECT_STREQ(came.data(), "net");
  close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST_F(FilesTest, ADeviceIsWrittenToAndNotReplaced) {
  const std::vector<uint8_t> bytes(10, 1);
  // Through a link, so that a failure of this test replaces the link alone.
  const std::string path = (folder_ / "device").string();
  std::filesystem::create_symlink("/dev/full", path);
  const Status status = format::WriteFileAtomically(path, bytes);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_EQ(status.message(), path + ": cannot write: No space left on device");
  EXPECT_TRUE(std::filesystem::is_symlink(path));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

// /dev/stdout is a file where the results go to one, which they must stay in.
TEST_F(FilesTest, AnOpenFileOfTheProcessKeepsWhatIsInIt) {
  const std::string path = (folder_ / "results").string();
  std::ofstream(path) << "results, ";
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  const std::vector<uint8_t> bytes = {'n', 'e', 't'};
  const Status written =
      format::WriteFileAtomically("/proc/self/fd/" + std::to_string(descriptor), bytes);
  EXPECT_TRUE(written.ok()) << written.message();
  close(descriptor);
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_EQ(content.str(), "results, net");
}

TEST_F(FilesTest, ALinkToAnOpenFileKeepsWhatIsInIt) {
  const std::string path = (folder_ / "results").string();
  std::ofstream(path) << "results, ";
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  const std::filesystem::path link = folder_ / "link";
  std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(descriptor), link);
  EXPECT_TRUE(format::WriteFileAtomically(link.string(), std::vector<uint8_t>(3, 'n')).ok());
  close(descriptor);
  EXPECT_EQ(std::filesystem::file_size(path), 12U);
}

// A file in memory is a file, though it is below /dev.
TEST_F(FilesTest, AFileOfSharedMemoryIsReplaced) {
  if (!std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "no /dev/shm";
  const std::string path = "/dev/shm/cssrun_files_test_" + std::to_string(getpid());
  for (const size_t size : {10U, 3U}) {
    EXPECT_TRUE(format::WriteFileAtomically(path, std::vector<uint8_t>(size, 1)).ok());
    EXPECT_EQ(std::filesystem::file_size(path), size);
  }
  std::filesystem::remove(path);
}

TEST_F(FilesTest, ALinkIsFollowed) {
  std::filesystem::create_directory(folder_ / "there");
  const std::filesystem::path file = folder_ / "there" / "net.fb";
  std::ofstream(file) << "old";
  const std::filesystem::path link = folder_ / "link";
  std::filesystem::create_symlink("there/net.fb", link);
  const std::vector<uint8_t> bytes(10, 1);
  ASSERT_TRUE(format::WriteFileAtomically(link.string(), bytes).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(std::filesystem::file_size(file), 10U);
}

TEST_F(FilesTest, WhatCannotBeWrittenIsKnownBeforehand) {
  EXPECT_TRUE(format::CheckWritable((folder_ / "net.fb").string()).ok());
  EXPECT_TRUE(format::CheckWritable("/dev/null").ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "net.fb"));
  const Status folder = format::CheckWritable(folder_.string());
  EXPECT_EQ(folder.code(), StatusCode::kIo);
  EXPECT_EQ(folder.message(), folder_.string() + ": a folder; name a file in it");
  const std::string nowhere = (folder_ / "no" / "net.fb").string();
  EXPECT_EQ(format::CheckWritable(nowhere).message(),
            nowhere + ": cannot create a file beside it: No such file or directory");
}

}  // namespace
}  // namespace cssrun
