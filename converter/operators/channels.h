// Depthwise Conv: parameters of one row for each channel.
#ifndef CSSRUN_CONVERTER_OPERATORS_CHANNELS_H_
#define CSSRUN_CONVERTER_OPERATORS_CHANNELS_H_

#include "converter/operators/operator.h"

namespace cssrun::converter {

// A view whose channels are permuted: the parameters are permuted instead.
FollowFunction FollowPermutedChannels;

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_CHANNELS_H_
