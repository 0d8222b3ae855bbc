/* Preloaded into a program, makes its input and output fail: CSSRUN_FAULT=CALL:ERROR[:AFTER]
 *
 * CALL is pread, write, fsync, rename, mkostemp or open; ERROR an errno by number, or `short`
 * (pread and write then move one byte at a time); so many calls after AFTER succeed. Only regular
 * files count for pread, write and fsync. For open and pread only names that contain
 * CSSRUN_FAULT_NAME count; for pread, "?" is part of every name.
 */
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the C library asks for this name. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kShort = 997 };

static int calls;

/* 0: go on; otherwise the errno to fail with, or -1 for a short transfer. */
static int Fault(const char* call) {
  const char* asked = getenv("CSSRUN_FAULT");
  const size_t length = strlen(call);
  if (asked == NULL || strncmp(asked, call, length) != 0 || asked[length] != ':') return 0;
  const char* error = asked + length + 1;
  const char* after = strchr(error, ':');
  if (after != NULL && calls++ < atoi(after + 1)) return 0;
  return strncmp(error, "short", 5) == 0 ? -1 : atoi(error);
}

static int IsFile(int descriptor) {
  struct stat info;
  return fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
}

static int IsNamed(int descriptor) {
  const char* name = getenv("CSSRUN_FAULT_NAME");
  char link[64];
  char path[4096];
  ssize_t length;
  if (name == NULL || strcmp(name, "?") == 0) return 1;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, name) != NULL;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pread(int descriptor, void* buffer, size_t size, off_t offset) {
  const int fault = IsFile(descriptor) && IsNamed(descriptor) ? Fault("pread") : 0;
  if (fault > 0) {
    errno = fault;
    return -1;
  }
  return NEXT(pread)(descriptor, buffer, fault == 0 || size < kShort ? size : kShort, offset);
}

ssize_t pread64(int descriptor, void* buffer, size_t size, off64_t offset) {
  return pread(descriptor, buffer, size, offset);
}

ssize_t write(int descriptor, const void* buffer, size_t size) {
  const int fault = IsFile(descriptor) ? Fault("write") : 0;
  if (fault > 0) {
    errno = fault;
    return -1;
  }
  return NEXT(write)(descriptor, buffer, fault == 0 || size < kShort ? size : kShort);
}

int fsync(int descriptor) {
  const int fault = IsFile(descriptor) ? Fault("fsync") : 0;
  if (fault == 0) return NEXT(fsync)(descriptor);
  errno = fault;
  return -1;
}

int rename(const char* from, const char* to) {
  const int fault = Fault("rename");
  if (fault == 0) return NEXT(rename)(from, to);
  errno = fault;
  return -1;
}

int mkostemp(char* name, int flags) {
  const int fault = Fault("mkostemp");
  if (fault == 0) return NEXT(mkostemp)(name, flags);
  errno = fault;
  return -1;
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, int) : 0;
  va_end(arguments);
  const char* name = getenv("CSSRUN_FAULT_NAME");
  const int fault = name != NULL && strstr(path, name) != NULL ? Fault("open") : 0;
  if (fault == 0) return NEXT(open)(path, flags, mode);
  errno = fault;
  return -1;
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, int) : 0;
  va_end(arguments);
  return open(path, flags, mode);
}
