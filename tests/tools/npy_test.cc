// Tests that NumPy's arrays are read, and what is none is refused.
#include "tools/npy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace cssrun::tools {
namespace {

// An array as numpy.save() writes it.
template <class Number>
std::string Npy(const std::string& dictionary, const std::vector<Number>& numbers,
                char version = 1) {
  std::string header = dictionary;
  const size_t before = version == 1 ? 10 : 12;
  while ((before + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file = "\x93NUMPY";
  file += version;
  file += '\0';
  for (size_t i = 0; i < before - 8; ++i) file += static_cast<char>(header.size() >> (8 * i));
  file += header;
  file.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number));
  return file;
}

Result<std::vector<float>> Parse(const std::string& file) {
  return ParseNpy({reinterpret_cast<const uint8_t*>(file.data()), file.size()});
}

std::string Refusal(const std::string& file) {
  const Result<std::vector<float>> numbers = Parse(file);
  EXPECT_FALSE(numbers.ok());
  EXPECT_EQ(numbers.status().code(), StatusCode::kInvalidArgument);
  return numbers.status().message();
}

const std::vector<float> kThree = {1.5F, -2, 3e-9F};

TEST(NpyTest, FloatsAndDoublesOfAnyShape) {
  for (const char* shape : {"(3,)", "(1, 3)", "(3, 1)", "(1,3,1,)"}) {
    for (const char version : {1, 2, 3}) {
      const std::string rest = std::string("'fortran_order': False, 'shape': ") + shape + ", }";
      const auto floats = Parse(Npy("{'descr': '<f4', " + rest, kThree, version));
      ASSERT_TRUE(floats.ok()) << floats.status().message();
      EXPECT_EQ(floats.value(), kThree);
      const std::vector<double> doubles(kThree.begin(), kThree.end());
      EXPECT_EQ(Parse(Npy("{'descr': '<f8', " + rest, doubles, version)).value(), kThree);
    }
  }
  EXPECT_EQ(
      Parse(Npy<float>("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", {7})).value(),
      std::vector<float>{7});
  // One row is the same in both orders.
  EXPECT_TRUE(
      Parse(Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 3), }", kThree)).ok());
}

TEST(NpyTest, OthersAreRefusedWithARemedy) {
  const std::vector<float> six(6, 1);
  for (const auto& [dictionary, message] : std::vector<std::pair<std::string, std::string>>{
           {"{'descr': '<f2', 'fortran_order': False, 'shape': (6,), }", "'<f2'"},
           {"{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }", "'>f4'"},
           {"{'descr': '<i4', 'fortran_order': False, 'shape': (6,), }", "'<i4'"},
           {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "Fortran"},
           {"{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }", "7 numbers"},
           {"{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }", "5 numbers"},
           {"{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }", "not an array"},
           {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
            "not an array"},
           {"{'descr': '<f4', 'fortran_order': False, 'shape': 6}", "not an array"},
           {"{'descr': '<f4', 'fortran_order': False, 'shape': (6", "not an array"},
           {"{'descr': '<f4', 'shape': (6,)}", "not an array"}}) {
    const std::string refusal = Refusal(Npy(dictionary, six));
    EXPECT_NE(refusal.find(message), std::string::npos) << refusal;
    EXPECT_NE(refusal.find("astype"), std::string::npos) << refusal;
  }
  const std::string not_finite =
      Npy<float>("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
                 {std::numeric_limits<float>::quiet_NaN()});
  EXPECT_NE(Refusal(not_finite).find("finite"), std::string::npos);
}

TEST(NpyTest, EveryCutAndEveryFlippedByteIsSurvived) {
  const std::string file = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", kThree);
  for (size_t i = 0; i < file.size(); ++i) {
    EXPECT_NE(Refusal(file.substr(0, i)), "");
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string damaged = file;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      const auto numbers = Parse(damaged);
      EXPECT_TRUE(!numbers.ok() || numbers.value().size() == 3U);
    }
  }
}

TEST(NpyTest, FilesAreNamedInMessages) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a.npy", "hello");
  EXPECT_EQ(ReadNpy(path).status().message().rfind(path + ": not an array", 0), 0U);
  EXPECT_EQ(ReadNpy(folder / "missing.npy").status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace cssrun::tools
