#include "runtime/network/input_format.h"

#include <array>

namespace cssrun::internal {
namespace {

template <class A, class B>
constexpr bool Same(A a, B b) {
  return static_cast<int>(a) == static_cast<int>(b);
}

// The file's numbers are those of the public header.
static_assert(Same(Resizing::kCover, format::Resizing::Cover));
static_assert(Same(Resizing::kShorterSide, format::Resizing::ShorterSide));
static_assert(Same(Resizing::kStretch, format::Resizing::Stretch));
static_assert(Same(Resizing::kFit, format::Resizing::Fit));
static_assert(Same(Resizing::kNone, format::Resizing::None));
static_assert(Same(Interpolation::kBilinear, format::Interpolation::Bilinear));
static_assert(Same(Interpolation::kBicubic, format::Interpolation::Bicubic));
static_assert(Same(Interpolation::kArea, format::Interpolation::Area));
static_assert(Same(Interpolation::kNearest, format::Interpolation::Nearest));
static_assert(Same(Interpolation::kLinear, format::Interpolation::Linear));
static_assert(Same(Colours::kRgb, format::Colours::Rgb));
static_assert(Same(Colours::kBgr, format::Colours::Bgr));
static_assert(Same(Colours::kGrey, format::Colours::Grey));

bool AsOldFilesSay(const InputFormat& input) {
  return input.resizing == Resizing::kCover && input.interpolation == Interpolation::kBilinear &&
         input.colours == Colours::kRgb && !input.exif;
}

}  // namespace

InputFormat UnpackInput(const format::Preprocessing& packed, const format::Extent& image) {
  InputFormat input;
  input.channels = image.channels();
  input.height = image.height();
  input.width = image.width();
  input.resize = packed.resize();
  input.mean.assign(packed.mean()->begin(), packed.mean()->end());
  input.stddev.assign(packed.stddev()->begin(), packed.stddev()->end());
  if (const format::Pictures* pictures = packed.pictures(); pictures != nullptr) {
    input.resizing = static_cast<Resizing>(pictures->resizing());
    input.resize = pictures->shorter_side();
    input.resize_height = pictures->height();
    input.resize_width = pictures->width();
    input.interpolation = static_cast<Interpolation>(pictures->interpolation());
    input.colours = static_cast<Colours>(pictures->colours());
    if (const format::Colour* fill = pictures->fill(); fill != nullptr) {
      input.fill = {fill->red(), fill->green(), fill->blue()};
    }
    input.exif = pictures->exif();
  }
  return input;
}

std::unique_ptr<format::PreprocessingT> PackInput(const InputFormat& input) {
  auto packed = std::make_unique<format::PreprocessingT>();
  packed->mean = input.mean;
  packed->stddev = input.stddev;
  if (AsOldFilesSay(input)) {
    packed->resize = input.resize;
    return packed;
  }
  packed->pictures = std::make_unique<format::PicturesT>();
  format::PicturesT& pictures = *packed->pictures;
  pictures.resizing = static_cast<format::Resizing>(input.resizing);
  pictures.shorter_side = input.resize;
  pictures.height = input.resize_height;
  pictures.width = input.resize_width;
  pictures.interpolation = static_cast<format::Interpolation>(input.interpolation);
  pictures.colours = static_cast<format::Colours>(input.colours);
  pictures.fill = std::make_unique<format::Colour>(input.fill[0], input.fill[1], input.fill[2]);
  pictures.exif = input.exif;
  return packed;
}

}  // namespace cssrun::internal
