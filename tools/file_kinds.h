// Kinds of files, by what they begin with: what all programs know about files that are not named
// for what they are. What to do with a kind is said where it is read.
#ifndef CSSRUN_TOOLS_FILE_KINDS_H_
#define CSSRUN_TOOLS_FILE_KINDS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cssrun::tools {

enum class FileKind {
  kUnknown,
  // Images that are decoded, see IsDecodedImage().
  kJpeg,
  kPng,
  kWebp,
  kBmp,
  kPnm,
  // Other images, see IsImage().
  kTiff,
  kGif,
  kJpegXl,
  kJpeg2000,
  kPhotoshop,
  kGimp,
  kIcon,
  kSvg,
  kOpenExr,
  kRadiance,
  kDds,
  kPam,
  kPfm,
  kAvif,
  kHeic,
  // Recordings of events. The other formats have no mark.
  kAedat,
  kMetavisionText,
  // Networks and numbers.
  kHdf5,  // as NIR files are
  kNumpy,
  kRosBag,
  // Videos.
  kY4m,
  kAvi,
  kMatroska,
  kMp4,
  // Packed files and archives.
  kGzip,
  kBzip2,
  kXz,
  kZstandard,
  kZip,
  kSevenZip,
  kTar,
  // Texts.
  kGitLfs,
  kHtml,
  kPdf,
  kUtf16,
};

inline bool IsDecodedImage(FileKind kind) {
  return kind >= FileKind::kJpeg && kind <= FileKind::kPnm;
}

// Whether it is an image, decoded or not.
inline bool IsImage(FileKind kind) { return kind >= FileKind::kJpeg && kind <= FileKind::kHeic; }

// Which marks count. A BMP and the kinds of PNM begin with two letters, as any file may by chance.
enum class Marks { kSure, kAll };

// The kind of a file that begins with these bytes. The first 16 suffice, but for a tar archive,
// whose mark ends at byte 262.
FileKind RecognizeFile(std::span<const uint8_t> bytes, Marks marks = Marks::kSure);

// The first 4096 bytes of a file; nothing if it cannot be read or is no regular file: a pipe would
// wait for who writes it.
std::vector<uint8_t> BeginOf(const std::string& path);

// For messages: "a PNG", "a ZIP archive". "" for kUnknown.
const char* NameOf(FileKind kind);

// The first bytes of files of this kind, or of one of its variants. The kind is not kUnknown.
std::string_view MarkOf(FileKind kind);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_FILE_KINDS_H_
