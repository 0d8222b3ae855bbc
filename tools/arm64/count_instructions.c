// A plugin of qemu's emulator that counts the instructions of each function of the program, and
// prints "count function" lines at the end. For one thread. See count_instructions.sh.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Of qemu's plugin interface, version 1, whose header Debian does not ship.
#define EXPORT __attribute__((visibility("default")))
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t qemu_plugin_id_t;
enum { kAddU64 = 0 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t,
                                                            struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn* instruction, int operation,
                                                void* counter, uint64_t summand);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t index);
const char* qemu_plugin_insn_symbol(const struct qemu_plugin_insn* instruction);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void*),
                                    void* data);

EXPORT int qemu_plugin_version = 1;

struct Function {
  struct Function* next;
  uint64_t instructions;
  char name[];
};

static struct Function* functions;

static struct Function* FunctionOf(const char* symbol) {
  const char* name = symbol != NULL && symbol[0] != '\0' ? symbol : "(libraries)";
  for (struct Function* f = functions; f != NULL; f = f->next) {
    if (strcmp(f->name, name) == 0) return f;
  }
  struct Function* f = calloc(1, sizeof(struct Function) + strlen(name) + 1);
  if (f == NULL) abort();
  strcpy(f->name, name);
  f->next = functions;
  functions = f;
  return f;
}

static void Count(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
  (void)id;
  const size_t count = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; ++i) {
    struct qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(block, i);
    struct Function* f = FunctionOf(qemu_plugin_insn_symbol(instruction));
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, kAddU64, &f->instructions, 1);
  }
}

static void Print(qemu_plugin_id_t id, void* path) {
  (void)id;
  FILE* out = fopen(path, "w");
  if (out == NULL) abort();
  for (const struct Function* f = functions; f != NULL; f = f->next) {
    fprintf(out, "%" PRIu64 " %s\n", f->instructions, f->name);
  }
  fclose(out);
}

// The only argument is the file to write, out=FILE.
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int count, char** arguments) {
  (void)info;
  if (count != 1 || strncmp(arguments[0], "out=", 4) != 0) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, Count);
  qemu_plugin_register_atexit_cb(id, Print, strdup(arguments[0] + 4));
  return 0;
}
