/* Preloaded into a program, makes HDF5's library fail on files that hold one of these words:
 *
 *   HDF5_FAULT=crash   writes to an address that is not there
 *   HDF5_FAULT=free    frees what was not allocated, so that the C library ends the process
 *   HDF5_FAULT=loop    never comes back
 *   HDF5_FAULT=exit    ends the process without a signal
 *   HDF5_FAULT=call    calls the function that it is given with nothing, which then crashes itself
 *
 * Named libhdf5_faults, so that whoever looks for the library at fault finds one of HDF5. A file is
 * read from memory, which is when its words are seen.
 */
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the C library asks for this name. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int calls_wrongly;

static int Has(const void* bytes, size_t size, const char* word) {
  return memmem(bytes, size, word, strlen(word)) != NULL;
}

herr_t H5Pset_file_image(hid_t list, void* image, size_t size) {
  static volatile unsigned turns;
  char* volatile within = (char*)image + 8; /* compilers see through the faults otherwise */
  if (Has(image, size, "HDF5_FAULT=crash")) *(volatile int*)8 = 1;
  if (Has(image, size, "HDF5_FAULT=free")) free(within);
  if (Has(image, size, "HDF5_FAULT=exit")) _exit(0);
  while (Has(image, size, "HDF5_FAULT=loop")) ++turns;
  calls_wrongly = Has(image, size, "HDF5_FAULT=call");
  return NEXT(H5Pset_file_image)(list, image, size);
}

/* The older name, which H5Literate() of programs for HDF5 1.10 stands for. */
herr_t(H5Literate)(hid_t group, H5_index_t index, H5_iter_order_t order, hsize_t* next,
                   H5L_iterate_t call, void* context) {
  if (calls_wrongly) return call(group, NULL, NULL, context);
  return NEXT(H5Literate)(group, index, order, next, call, context);
}
