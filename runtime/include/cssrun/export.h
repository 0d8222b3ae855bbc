/* Marks the symbols that the shared library exports; all others are hidden. */
#ifndef CSSRUN_EXPORT_H_
#define CSSRUN_EXPORT_H_

#if defined(__GNUC__)
#define CSSRUN_API __attribute__((visibility("default")))
#else
#define CSSRUN_API
#endif

#endif /* CSSRUN_EXPORT_H_ */
