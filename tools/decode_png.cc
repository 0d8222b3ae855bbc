#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "tools/decode.h"

namespace cssrun::tools {
namespace {

// Holds everything that must survive libpng's longjmp. It lives outside the function that the jump
// leaves.
struct Reader {
  std::span<const uint8_t> rest;
  ImageLimits limits;
  // This is not a std::string, because filling one may throw through libpng when memory has run
  // out.
  std::array<char, 128> error = {};
  std::array<char, 128> warning = {};  // the first one
  png_structp png = nullptr;
  png_infop info = nullptr;
  Image image;
  Status refusal;

  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

void ReadBytes(png_structp png, png_bytep out, size_t count) {
  auto& reader = *static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader.rest.size()) png_error(png, "it ends too soon");
  std::memcpy(out, reader.rest.data(), count);
  reader.rest = reader.rest.subspan(count);
}

[[noreturn]] void OnError(png_structp png, png_const_charp message) {
  std::array<char, 128>& error = static_cast<Reader*>(png_get_error_ptr(png))->error;
  std::snprintf(error.data(), error.size(), "%s", message);
  png_longjmp(png, 1);
}

void OnWarning(png_structp png, png_const_charp message) {
  std::array<char, 128>& warning = static_cast<Reader*>(png_get_error_ptr(png))->warning;
  if (warning[0] == '\0') std::snprintf(warning.data(), warning.size(), "%s", message);
}

// Returns false when libpng reported an error through OnError, or the size was refused. It holds no
// object with a destructor, because longjmp would skip it.
bool Decode(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_set_read_fn(reader.png, &reader, ReadBytes);
  // PrepareImage has the clearer message for an image that is too large, so these limits are the
  // format's own.
  png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  // Text chunks and colour profiles are not used, and large ones are attacks. With -1, the chunks
  // that libpng knows are skipped as well, except palette and transparency. The limit on chunk
  // memory is not enough: libpng 1.6.39 only warns about it before it allocates a gigabyte.
  png_set_chunk_malloc_max(reader.png, 1 << 20);
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(reader.png, reader.info);
  const png_uint_32 width = png_get_image_width(reader.png, reader.info);
  const png_uint_32 height = png_get_image_height(reader.png, reader.info);
  reader.refusal = PrepareImage(width, height, reader.limits, reader.image);
  if (!reader.refusal.ok()) return false;

  // Palettes, grey levels of 1 to 16 bits and transparency all become 8-bit RGB.
  png_set_expand(reader.png);
  png_set_scale_16(reader.png);
  png_set_strip_alpha(reader.png);
  png_set_gray_to_rgb(reader.png);
  const int passes = png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  const size_t row_bytes = size_t{width} * 3;
  if (png_get_rowbytes(reader.png, reader.info) != row_bytes) {
    png_error(reader.png, "its rows are not RGB");
  }
  for (int pass = 0; pass < passes; ++pass) {
    for (png_uint_32 row = 0; row < height; ++row) {
      png_read_row(reader.png, reader.image.rgb.data() + row * row_bytes, nullptr);
    }
  }
  png_read_end(reader.png, nullptr);
  return true;
}

}  // namespace

Result<Image> DecodePng(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  Reader reader;
  reader.rest = bytes;
  reader.limits = limits;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, OnError, OnWarning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) return Status::Io("not enough memory to decode it");
  if (Decode(reader)) {
    reader.image.warning = reader.warning.data();
    return std::move(reader.image);
  }
  if (!reader.refusal.ok()) return reader.refusal;
  return Undecodable(std::string("a damaged PNG: ") + reader.error.data());
}

}  // namespace cssrun::tools
