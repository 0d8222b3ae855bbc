// Folds the arithmetic that a model does on its image into the normalization of the pixels.
#ifndef CSSRUN_CONVERTER_PASSES_FOLD_IMAGE_H_
#define CSSRUN_CONVERTER_PASSES_FOLD_IMAGE_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Models begin with x / 255, (x - mean) / std, a BatchNormalization, or one number for each colour,
// sliced out, scaled and joined again (torchvision's transform_input). As layers these would cost
// neurons of the image's size; as Graph::image_scale and image_shift they cost nothing. Layers that
// pad read zeros of the scaled image, as before.
//
// A mean image, which shifts each pixel by a different number, becomes Graph::image_map, except for
// the mean of each colour.
//
// Does nothing unless every colour is scaled by one positive number, wherever the network reads it.
// Needs shapes.
Status FoldImage(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_FOLD_IMAGE_H_
