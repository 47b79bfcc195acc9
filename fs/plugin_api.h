/* plugin_api.h - the binary interface between a linker and a compiler's plugin for link-time optimisation.
 *
 * Declared here from its documentation (GCC wiki "whopr/driver", binutils' ld manual "Plugins"), as far as plugins of GCC and
 * LLVM use it: numbers, layouts and signatures that both sides must agree on. A plugin exports `onload`, which is given a
 * list of tagged values ended by PLUGIN_NULL; it calls back through those that are functions.
 */
#ifndef FS_PLUGIN_API_H
#define FS_PLUGIN_API_H

#include <stdint.h>
#include <sys/types.h>

#define PLUGIN_API_VERSION 1
#define PLUGIN_GNU_LD_VERSION 240 /* whose behaviour is followed: major * 100 + minor */

enum plugin_status { PLUGIN_OK, PLUGIN_NO_SYMS, PLUGIN_BAD_HANDLE, PLUGIN_ERR };

enum plugin_output { PLUGIN_REL, PLUGIN_EXEC, PLUGIN_DYN, PLUGIN_PIE };

enum plugin_def { PLUGIN_DEF, PLUGIN_WEAKDEF, PLUGIN_UNDEF, PLUGIN_WEAKUNDEF, PLUGIN_COMMON };

enum plugin_visibility { PLUGIN_DEFAULT, PLUGIN_PROTECTED, PLUGIN_INTERNAL, PLUGIN_HIDDEN };

enum plugin_symbol_type { PLUGIN_TYPE_UNKNOWN, PLUGIN_FUNCTION, PLUGIN_VARIABLE };

enum plugin_resolution {
	PLUGIN_UNKNOWN,
	PLUGIN_RES_UNDEF,
	PLUGIN_PREVAILING_DEF,
	PLUGIN_PREVAILING_DEF_IRONLY,
	PLUGIN_PREEMPTED_REG,
	PLUGIN_PREEMPTED_IR,
	PLUGIN_RESOLVED_IR,
	PLUGIN_RESOLVED_EXEC,
	PLUGIN_RESOLVED_DYN,
	PLUGIN_PREVAILING_DEF_IRONLY_EXP, /* not told by the first GET_SYMBOLS */
};

enum plugin_level { PLUGIN_INFO, PLUGIN_WARNING, PLUGIN_ERROR, PLUGIN_FATAL };

enum plugin_tag {
	PLUGIN_NULL = 0,
	PLUGIN_TAG_API_VERSION = 1,
	PLUGIN_TAG_LINKER_OUTPUT = 3,
	PLUGIN_TAG_OPTION = 4,
	PLUGIN_TAG_REGISTER_CLAIM_FILE = 5,
	PLUGIN_TAG_REGISTER_ALL_SYMBOLS_READ = 6,
	PLUGIN_TAG_REGISTER_CLEANUP = 7,
	PLUGIN_TAG_ADD_SYMBOLS = 8,
	PLUGIN_TAG_GET_SYMBOLS = 9,
	PLUGIN_TAG_ADD_INPUT_FILE = 10,
	PLUGIN_TAG_MESSAGE = 11,
	PLUGIN_TAG_GET_INPUT_FILE = 12,
	PLUGIN_TAG_RELEASE_INPUT_FILE = 13,
	PLUGIN_TAG_ADD_INPUT_LIBRARY = 14,
	PLUGIN_TAG_OUTPUT_NAME = 15,
	PLUGIN_TAG_SET_EXTRA_LIBRARY_PATH = 16,
	PLUGIN_TAG_GNU_LD_VERSION = 17,
	PLUGIN_TAG_GET_VIEW = 18,
	PLUGIN_TAG_GET_SYMBOLS_V2 = 25,
	PLUGIN_TAG_GET_SYMBOLS_V3 = 28,
	PLUGIN_TAG_GET_WRAP_SYMBOLS = 32,
	PLUGIN_TAG_ADD_SYMBOLS_V2 = 33,
};

struct plugin_file {
	const char *name;
	int fd;
	off_t offset;
	off_t filesize;
	void *handle; /* the linker's */
};

/* The four small fields were one int before there were more than DEF: so they lie in the order of its bytes. */
struct plugin_symbol {
	char *name;
	char *version;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	char unused, section_kind, symbol_type, def;
#else
	char def, symbol_type, section_kind, unused;
#endif
	int visibility;
	uint64_t size;
	char *comdat_key;
	int resolution;
};

typedef enum plugin_status (*plugin_claim_file)(const struct plugin_file *file, int *claimed);
typedef enum plugin_status (*plugin_event)(void); /* all symbols read; cleanup */

struct plugin_value {
	enum plugin_tag tag;
	union {
		int val;
		const char *string;
		enum plugin_status (*register_claim_file)(plugin_claim_file handler);
		enum plugin_status (*register_event)(plugin_event handler);
		enum plugin_status (*add_symbols)(void *handle, int cnt, const struct plugin_symbol *syms);
		enum plugin_status (*get_symbols)(const void *handle, int cnt, struct plugin_symbol *syms);
		enum plugin_status (*add_name)(const char *name); /* input file, input library, extra library path */
		enum plugin_status (*message)(int level, const char *format, ...);
		enum plugin_status (*get_input_file)(const void *handle, struct plugin_file *file);
		enum plugin_status (*release_input_file)(const void *handle);
		enum plugin_status (*get_view)(const void *handle, const void **view);
		enum plugin_status (*get_wrap_symbols)(uint64_t *cnt, const char ***list);
	} u;
};

typedef enum plugin_status (*plugin_onload)(struct plugin_value *values);

#endif
