// Writes the inputs that fuzzing starts from, FOLDER/TARGET/NAME: small sound inputs of every kind,
// and inputs that other tests know to be bad.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/network_file.h"
#include "tests/converter/bad_models.h"
#include "tests/converter/nir_writer.h"
#include "tests/converter/onnx_models.h"
#include "tests/fuzz/target.h"
#include "tests/oracle/event_model.h"
#include "tests/oracle/random_network.h"
#include "tests/tools/encode_images.h"
#include "tests/tools/recordings/write_recordings.h"

namespace {

using namespace cssrun;

class Writer {
 public:
  explicit Writer(std::string folder) : folder_(std::move(folder)) {}

  void Write(const std::string& target, std::span<const uint8_t> bytes) {
    const std::filesystem::path folder = std::filesystem::path(folder_) / target;
    std::filesystem::create_directories(folder);
    std::ofstream file(folder / ("seed" + std::to_string(count_++)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    fuzz::Require(file.flush().good(), "a seed can be written");
  }
  void Write(const std::string& target, std::string_view text) {
    Write(target, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

 private:
  std::string folder_;
  size_t count_ = 0;
};

void Networks(Writer& writer) {
  const auto write = [&](const format::NetworkT& network) {
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
    for (const char* target : {"network_load", "network_run"}) {
      writer.Write(target, {bytes.data(), bytes.size()});
    }
  };
  for (uint32_t seed = 0; seed < 12; ++seed) {
    write(oracle::RandomNetwork(seed));
    write(oracle::RandomNetwork(seed, {.placed_means = true}));
    write(oracle::RandomNetwork(seed, {.direct = seed % 2 == 0, .spread = true}));
    write(oracle::RandomNetwork(seed, {.direct = true, .settled = true, .whole_weights = true}));
  }
  write(oracle::ChainNetwork(2, 6, 1.5F, 1));
  write(oracle::ChainNetwork(1, 20, 1.1F, 0));
}

void Models(Writer& writer) {
  writer.Write("onnx_import", converter::testing::SmallModel().SerializeAsString());
  for (const auto& models :
       {converter::testing::BadModels(), converter::testing::ModelsBadOnImages()}) {
    for (const auto& model : models) writer.Write("onnx_import", model.bytes);
  }
}

void SpikingModels(Writer& writer) {
  for (uint32_t seed = 0; seed < 12; ++seed) {
    oracle::EventModel model = oracle::RandomEventModel(seed);
    model.nodes.resize(std::min<size_t>(model.nodes.size(), 3));
    const converter::NirGraph graph = testing_models::NirOf(model);
    writer.Write("nir_import", testing_models::WriteNir(graph, {.compressed = seed % 3 == 0,
                                                                .floats = true,
                                                                .nested = seed % 4 == 0}));
    writer.Write("nir_tree", converter::PackHdf5(testing_models::NirTree(graph, seed % 4 == 0)));
  }
}

void Images(Writer& writer) {
  const tools::Image image = tools::PatternImage(13, 9);
  writer.Write("image_decode", tools::EncodePng(image));
  writer.Write("image_decode", tools::EncodePpm(image));
  writer.Write("image_decode", tools::EncodeWebp(image));
  writer.Write("image_decode", tools::EncodeJpegWithSampling(image, 4, 2));
  for (const uint32_t header : {12U, 40U, 124U}) {
    writer.Write("image_decode", tools::EncodeBmp(image, {.header = header}));
  }
  writer.Write("image_decode", tools::EncodeBmp(image, {.bits = 32, .from_top = true}));
  const std::vector<uint8_t> row(16, 0x1B);
  for (const uint32_t bits : {1U, 2U, 4U, 8U}) {
    const std::vector<uint8_t> palette(size_t{4} << bits, 0x5A);
    writer.Write("image_decode",
                 tools::AssembleBmp({.bits = bits, .width = 16, .palette = palette}, row));
  }
  writer.Write(
      "image_decode",
      tools::AssembleBmp(
          {.bits = 16, .width = 8, .compression = 3, .masks = {0xF800, 0x07E0, 0x001F}}, row));
  for (const char* text : {"P1 3 2 010\n101", "P2 2 1 15 3 15", "P3 1 1 65535 1 2 65535",
                           "P4 9 1\nab", "P5 1 1 65535\nab"}) {
    writer.Write("image_decode", std::string_view(text));
  }
  for (const auto kind : {tools::JpegKind::kColor, tools::JpegKind::kGray,
                          tools::JpegKind::kProgressive, tools::JpegKind::kCmyk}) {
    writer.Write("image_decode", tools::EncodeJpeg(image, kind));
  }
  const struct {
    tools::PngLayout layout;
    size_t row_bytes;
  } pngs[] = {{{0, 1, true}, 2}, {{3, 4, false}, 7}, {{6, 16, false}, 104}, {{4, 8, true}, 26}};
  for (const auto& [layout, row_bytes] : pngs) {
    const std::vector<uint8_t> rows(9 * row_bytes, 0x5A);
    writer.Write("image_decode", tools::EncodePng(13, 9, layout, rows, layout.color_type == 3));
  }
}

void Recordings(Writer& writer) {
  for (const size_t count : {3U, 200U}) {
    const auto write = [&](const tools::Bytes& bytes) { writer.Write("recording", bytes); };
    const auto small = tools::RandomEvents(1, count, {34, 34}, 8'388'000);
    const auto large = tools::RandomEvents(2, count, {240, 180}, 16'776'000);
    write(tools::WriteNmnist(small));
    write(tools::WriteDat(large, 1, "% Data file containing 2D events\n"));
    write(tools::WriteDat(large, 2, "% Version 2\n% Width 240\n% Height 180\n"));
    write(tools::WriteEvt2(large, {240, 180}));
    write(tools::WriteEvt3(large, {240, 180}));
    write(tools::WriteAedat2(small, "DVS128"));
    write(tools::WriteAedat2(large, "DAVIS240"));
    write(tools::WriteAedat3(large, 20));
    write(tools::WriteAedat4(large, {.others = true}));
    write(tools::WriteAedat4(large, {.lz4 = false, .table = false}));
    write(tools::WriteCsv(small));
    write(tools::WriteCsv(large, "t_ms;x;y;p\n"));
  }
}

void Texts(Writer& writer) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view text :
       {"net.fb\0images\0--topk\0005\0--format\0jsonl\0--threads=2"sv,
        "net.fb\0--stream\0-\0--size\00032x32\0--hold\0004\0--dead-zone\0.5\0--every=3"sv,
        "net.fb\0-\0--early-exit\0auto\0--limit\0pixels=100\0--limit=neurons=7"sv,
        "m.onnx\0-o\0net.fb\0--calibration\0i\0--mean\0.5,.5,.5\0--std=0.2"sv,
        "m.onnx\0-o\0n\0--calibration\0i\0--auto\0001\0-T\0008\0--beta\0002\0--input\0direct"sv,
        "m.onnx\0-o\0n\0--calibration\0i\0--preset\0keras-caffe\0--fit\00040x50\0--fill\0001,2,3"sv,
        "m.onnx\0--check\0p.jpg\0e.npy\0--resize\00024x32\0--scale\0001/127.5\0--channels\0bgr"sv,
        "\x93NUMPY\1\0\x36\0{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}abcd"sv,
        "--help"sv, "--version"sv, "cat\r\ndog\n\nm\xC3\xBCll, \"tier\"\n"sv,
        "\x1b]0;title\x07\n\xC2\x9B"
        "31m\n\xE2\x80\xAE"
        "gpj.exe\n\xFF\xFE\n"sv}) {
    writer.Write("text_input", text);
  }
}

void Calls(Writer& writer) {
  for (uint8_t seed = 0; seed < 24; ++seed) {
    std::vector<uint8_t> bytes(1000);
    uint32_t state = seed * 2654435761U + 1;
    for (uint8_t& byte : bytes) {
      state = state * 1664525U + 1013904223U;
      byte = static_cast<uint8_t>(state >> 24);
    }
    writer.Write("c_api", bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  fuzz::Require(argc == 2, "usage: make_fuzz_seeds FOLDER");
  Writer writer(argv[1]);
  Networks(writer);
  Models(writer);
  SpikingModels(writer);
  Images(writer);
  Recordings(writer);
  Texts(writer);
  Calls(writer);
  return 0;
}
