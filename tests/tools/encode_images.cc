#include "tests/tools/encode_images.h"

#include <png.h>
#include <turbojpeg.h>
#include <webp/encode.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
// jpeglib.h needs FILE.
#include <jpeglib.h>

namespace cssrun::tools {
namespace {

void Append(png_structp png, png_bytep bytes, size_t count) {
  auto& file = *static_cast<std::vector<uint8_t>*>(png_get_io_ptr(png));
  file.insert(file.end(), bytes, bytes + count);
}

}  // namespace

Image PatternImage(uint32_t width, uint32_t height) {
  Image image{width, height, {}};
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      for (uint32_t c = 0; c < 3; ++c) {
        image.rgb.push_back(static_cast<uint8_t>(x * 37 + y * 101 + c * 53 + x * y * 7));
      }
    }
  }
  return image;
}

std::vector<uint8_t> EncodePng(uint32_t width, uint32_t height, const PngLayout& layout,
                               std::span<const uint8_t> rows, bool transparent) {
  std::vector<uint8_t> file;
  // Without our own handlers, libpng ends the program on an error, which is right for a bug of the
  // test.
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &file, Append, nullptr);
  png_set_IHDR(png, info, width, height, layout.bit_depth, layout.color_type,
               layout.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (layout.color_type == PNG_COLOR_TYPE_PALETTE) {
    std::array<png_color, 256> palette = {};
    const int entries = 1 << layout.bit_depth;
    for (int i = 0; i < entries; ++i) {
      palette[static_cast<size_t>(i)] = {static_cast<png_byte>(i), static_cast<png_byte>(255 - i),
                                         static_cast<png_byte>(i / 2)};
    }
    png_set_PLTE(png, info, palette.data(), entries);
    const png_byte clear = 0;
    if (transparent) png_set_tRNS(png, info, &clear, 1, nullptr);
  }
  png_write_info(png, info);
  const size_t row_bytes = png_get_rowbytes(png, info);
  if (rows.size() != row_bytes * height) std::abort();
  const int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; ++pass) {
    for (uint32_t y = 0; y < height; ++y) png_write_row(png, rows.data() + y * row_bytes);
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

std::vector<uint8_t> EncodePng(const Image& image) {
  return EncodePng(image.width, image.height, {}, image.rgb);
}

std::vector<uint8_t> EncodeJpeg(const Image& image, JpegKind kind, int quality) {
  const int width = static_cast<int>(image.width);
  const int height = static_cast<int>(image.height);
  tjhandle compressor = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  int failed = 0;
  if (kind == JpegKind::kCmyk) {
    const std::vector<uint8_t> cmyk(size_t{image.width} * image.height * 4, 100);
    failed = tjCompress2(compressor, cmyk.data(), width, 0, height, TJPF_CMYK, &bytes, &size,
                         TJSAMP_444, quality, 0);
  } else {
    failed = tjCompress2(compressor, image.rgb.data(), width, 0, height, TJPF_RGB, &bytes, &size,
                         kind == JpegKind::kGray ? TJSAMP_GRAY : TJSAMP_444, quality,
                         kind == JpegKind::kProgressive ? TJFLAG_PROGRESSIVE : 0);
  }
  if (failed != 0) std::abort();
  std::vector<uint8_t> file(bytes, bytes + size);
  tjFree(bytes);
  tjDestroy(compressor);
  return file;
}

std::vector<uint8_t> EncodeJpegWithSampling(const Image& image, int horizontal, int vertical) {
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg.err = jpeg_std_error(&errors);  // ends the program on an error
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = image.width;
  jpeg.image_height = image.height;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 95, TRUE);
  jpeg.comp_info[0].h_samp_factor = horizontal;
  jpeg.comp_info[0].v_samp_factor = vertical;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    // libjpeg does not write to it.
    auto* row =
        const_cast<uint8_t*>(image.rgb.data()) + size_t{jpeg.next_scanline} * image.width * 3;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::vector<uint8_t> file(bytes, bytes + size);
  jpeg_destroy_compress(&jpeg);
  std::free(bytes);
  return file;
}

std::vector<uint8_t> EncodeWebp(const Image& image) {
  uint8_t* bytes = nullptr;
  const size_t size = WebPEncodeLosslessRGB(image.rgb.data(), static_cast<int>(image.width),
                                            static_cast<int>(image.height),
                                            static_cast<int>(image.width) * 3, &bytes);
  if (size == 0) std::abort();
  std::vector<uint8_t> file(bytes, bytes + size);
  WebPFree(bytes);
  return file;
}

std::vector<uint8_t> AssembleBmp(const BmpParts& parts, std::span<const uint8_t> pixels) {
  std::vector<uint8_t> file = {'B', 'M'};
  const auto put = [&](uint64_t value, size_t bytes) {  // zeros beyond the value
    for (size_t i = 0; i < bytes; ++i, value >>= 8) file.push_back(static_cast<uint8_t>(value));
  };
  const bool masks_follow = parts.header == 40;
  const size_t before = 14 + parts.header + (masks_follow ? 4 * parts.masks.size() : 0);
  put(0, 8);
  put(static_cast<uint32_t>(before + parts.palette.size()), 4);
  put(parts.header, 4);
  const size_t side = parts.header == 12 ? 2 : 4;
  put(parts.width, side);
  put(static_cast<uint32_t>(parts.height), side);
  put(1, 2);
  put(parts.bits, 2);
  if (parts.header > 12) {
    put(parts.compression, 4);
    put(0, 12);
    put(parts.colours, 4);
    put(0, 4);
  }
  for (const uint32_t mask : parts.masks) put(mask, 4);
  file.resize(before, 0);
  file.insert(file.end(), parts.palette.begin(), parts.palette.end());
  file.insert(file.end(), pixels.begin(), pixels.end());
  while ((file.size() - before - parts.palette.size()) % 4 != 0) file.push_back(0);
  return file;
}

std::vector<uint8_t> EncodeBmp(const Image& image, const BmpLayout& layout) {
  const size_t bytes = layout.bits / 8;
  std::vector<uint8_t> pixels;
  for (uint32_t i = 0; i < image.height; ++i) {
    const size_t y = layout.from_top ? i : image.height - 1 - i;
    for (size_t x = 0; x < image.width; ++x) {
      const uint8_t* rgb = image.rgb.data() + 3 * (y * image.width + x);
      pixels.insert(pixels.end(), {rgb[2], rgb[1], rgb[0]});
      if (bytes == 4) pixels.push_back(77);
    }
    while (pixels.size() % 4 != 0) pixels.push_back(0);
  }
  const auto height = static_cast<int32_t>(image.height);
  return AssembleBmp({.bits = layout.bits,
                      .width = image.width,
                      .header = layout.header,
                      .height = layout.from_top ? -height : height},
                     pixels);
}

std::vector<uint8_t> EncodePpm(const Image& image) {
  const std::string header =
      "P6\n" + std::to_string(image.width) + " " + std::to_string(image.height) + "\n255\n";
  std::vector<uint8_t> file(header.begin(), header.end());
  file.insert(file.end(), image.rgb.begin(), image.rgb.end());
  return file;
}

}  // namespace cssrun::tools
