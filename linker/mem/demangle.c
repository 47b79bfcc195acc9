/* demangle.c - borrows the C++ runtime's demangler when a message or a version script needs one.
 *
 * __cxa_demangle (Itanium C++ ABI, "Demangler API") lives in libstdc++. It is looked up when the first
 * mangled name is to be read, so that most links neither load nor need a C++ runtime.
 */
#include "demangle.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef char *demangle_fn(const char *mangled, char *buf, size_t *len, int *status);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static demangle_fn *runtime_demangle;

static void find_runtime(void)
{
	void *lib = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
	if (!lib)
		lib = dlopen("libc++abi.so.1", RTLD_LAZY | RTLD_LOCAL);
	if (lib)
		runtime_demangle = (demangle_fn *)dlsym(lib, "__cxa_demangle");
}

bool demangle_is_available(void)
{
	pthread_once(&once, find_runtime);
	return runtime_demangle != NULL;
}

char *demangle(const char *mangled)
{
	int status = 0;
	if (strncmp(mangled, "_Z", 2) != 0 || !demangle_is_available())
		return NULL;
	char *text = runtime_demangle(mangled, NULL, NULL, &status);
	if (text && status) {
		free(text);
		return NULL;
	}
	return text;
}

void demangle_in_place(char *buf, size_t sz)
{
	char *text = demangle(buf);
	if (text) {
		size_t len = strlen(text) < sz - 1 ? strlen(text) : sz - 1;
		memcpy(buf, text, len);
		buf[len] = 0;
	}
	free(text);
}
