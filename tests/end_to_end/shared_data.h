// Finds real networks and images beside the checkout. Tests skip where they are absent.
#ifndef CSSRUN_TESTS_END_TO_END_SHARED_DATA_H_
#define CSSRUN_TESTS_END_TO_END_SHARED_DATA_H_

#include <filesystem>
#include <string>
#include <vector>

#include "converter/ann_run.h"
#include "cssrun/network.h"

namespace cssrun {

const std::filesystem::path& Shared();

// Returns every image in a folder, as a network of this input format takes it.
converter::ImageSet LoadFolder(const std::string& folder, const std::vector<std::string>& labels,
                               const InputFormat& format);

}  // namespace cssrun

#endif  // CSSRUN_TESTS_END_TO_END_SHARED_DATA_H_
