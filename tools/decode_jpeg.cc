#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
// jpeglib.h needs FILE, and jerror.h what jpeglib.h defines.
#include <jerror.h>
#include <jpeglib.h>

#include "tools/decode.h"

namespace cssrun::tools {
namespace {

// Counts the scans of a JPEG without decoding anything.
uint64_t CountScans(std::span<const uint8_t> bytes) {
  constexpr uint8_t kStartOfScan = 0xDA;
  constexpr uint8_t kEndOfImage = 0xD9;
  uint64_t scans = 0;
  for (size_t at = 2; at + 1 < bytes.size();) {
    // Coded data and fill bytes lie between the marker segments.
    if (bytes[at] != 0xFF || bytes[at + 1] == 0xFF) {
      ++at;
      continue;
    }
    const uint8_t marker = bytes[at + 1];
    at += 2;
    if (marker == kEndOfImage) break;
    // No length follows escaped data (0), TEM and restart markers.
    if (marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue;
    if (marker == kStartOfScan) ++scans;
    if (at + 1 >= bytes.size()) break;
    at += std::max<size_t>(size_t{bytes[at]} << 8 | bytes[at + 1], 2);
  }
  return scans;
}

// Holds everything that must survive libjpeg's longjmp. It lives outside the function that the jump
// leaves.
struct Reader {
  jpeg_decompress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  std::jmp_buf jump = {};
  std::array<char, JMSG_LENGTH_MAX> error = {};
  std::array<char, JMSG_LENGTH_MAX> warning = {};  // the first one
  bool ended = false;                              // the bytes came to an end before its mark did
  bool cut = false;                                // and coded data were missing
  std::span<const uint8_t> bytes;
  ImageLimits limits;
  Image image;
  Status refusal;

  ~Reader() { jpeg_destroy_decompress(&jpeg); }
};

Reader& ReaderOf(j_common_ptr jpeg) { return *static_cast<Reader*>(jpeg->client_data); }

[[noreturn]] void OnError(j_common_ptr jpeg) {
  Reader& reader = ReaderOf(jpeg);
  jpeg->err->format_message(jpeg, reader.error.data());
  std::longjmp(reader.jump, 1);  // NOLINT: libjpeg has no other way out
}

// Warnings have level -1, all else is for debugging.
void OnMessage(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  Reader& reader = ReaderOf(jpeg);
  if (jpeg->err->num_warnings++ == 0) jpeg->err->format_message(jpeg, reader.warning.data());
  // libjpeg makes up for missing bytes with an end mark, and for missing pixels with grey.
  if (jpeg->err->msg_code == JWRN_JPEG_EOF) reader.ended = true;
  if (jpeg->err->msg_code == JWRN_HIT_MARKER && reader.ended) reader.cut = true;
}

void OnOutput(j_common_ptr /*jpeg*/) {}

// Whether all scans have come of an image that is sent in several: every coefficient to its last
// bit in a progressive one. Nobody can tell for others.
bool AllScansCame(const jpeg_decompress_struct& jpeg) {
  if (jpeg.progressive_mode == 0 || jpeg.coef_bits == nullptr) return false;
  for (int c = 0; c < jpeg.num_components; ++c) {
    const int* const bits = jpeg.coef_bits[c];
    if (std::any_of(bits, bits + DCTSIZE2, [](int missing) { return missing != 0; })) return false;
  }
  return true;
}

Status Refuse(const jpeg_decompress_struct& jpeg, std::span<const uint8_t> bytes,
              const ImageLimits& limits) {
  if (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK) {
    return Undecodable(
        "a JPEG for print (CMYK); make it RGB: mogrify -colorspace sRGB FILE (ImageMagick)");
  }
  // Each scan passes over all pixels again. A file of a hundred kilobytes with a thousand scans is
  // an attack.
  if (const uint64_t scans = CountScans(bytes); scans > limits.jpeg_scans) {
    return Undecodable("a JPEG of " + std::to_string(scans) + " scans, more than the limit of " +
                       std::to_string(limits.jpeg_scans) +
                       "; if you trust the file, raise the limit \"jpeg-scans\"");
  }
  return Status::Ok();
}

// Returns false when libjpeg reported an error through OnError, or the image was refused. It holds
// no object with a destructor, because longjmp would skip it.
bool Decode(Reader& reader) {
  if (setjmp(reader.jump) != 0) return false;  // NOLINT
  jpeg_decompress_struct& jpeg = reader.jpeg;
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reader.bytes.data(), reader.bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  reader.refusal = Refuse(jpeg, reader.bytes, reader.limits);
  if (!reader.refusal.ok()) return false;
  reader.refusal = PrepareImage(jpeg.image_width, jpeg.image_height, reader.limits, reader.image);
  if (!reader.refusal.ok()) return false;
  // All else is as libjpeg has it, as PIL leaves it, too: the accurate transform, smooth chroma.
  jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&jpeg);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = reader.image.rgb.data() + size_t{jpeg.output_scanline} * reader.image.width * 3;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  const bool in_scans = jpeg_has_multiple_scans(&jpeg) != 0;
  if (reader.ended && in_scans && !AllScansCame(jpeg)) reader.cut = true;
  jpeg_finish_decompress(&jpeg);
  return true;
}

// Whether the error is that of a sound file that libjpeg does not know: 12 bits, lossless, ...
bool IsRare(int error) {
  return error == JERR_BAD_PRECISION || error == JERR_SOF_UNSUPPORTED ||
         error == JERR_CONVERSION_NOTIMPL || error == JERR_ARITH_NOTIMPL ||
         error == JERR_CCIR601_NOTIMPL || error == JERR_FRACT_SAMPLE_NOTIMPL;
}

}  // namespace

Result<Image> DecodeJpeg(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  Reader reader;
  reader.bytes = bytes;
  reader.limits = limits;
  reader.jpeg.err = jpeg_std_error(&reader.errors);
  reader.jpeg.client_data = &reader;
  reader.errors.error_exit = OnError;
  reader.errors.emit_message = OnMessage;
  reader.errors.output_message = OnOutput;
  const bool decoded = Decode(reader);
  if (!reader.refusal.ok()) return reader.refusal;
  if (decoded && reader.cut) return Undecodable("a damaged JPEG: it ends too soon");
  if (!decoded) {
    if (reader.errors.msg_code == JERR_OUT_OF_MEMORY) {
      return Status::Io("not enough memory to decode it");
    }
    const char* const kind =
        IsRare(reader.errors.msg_code) ? "a JPEG of a rare kind" : "a damaged JPEG";
    return Undecodable(std::string(kind) + ": " + reader.error.data());
  }
  reader.image.warning = reader.warning.data();
  return std::move(reader.image);
}

}  // namespace cssrun::tools
