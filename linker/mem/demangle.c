/* demangle.c - borrows the C++ runtime's demangler when a message needs one.
 *
 * __cxa_demangle (Itanium C++ ABI, "Demangler API") lives in libstdc++. It is looked up at the first message that shows a
 * mangled name, so that a link without errors neither loads nor needs a C++ runtime.
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

void demangle_in_place(char *buf, size_t sz)
{
	int status = 0;
	if (strncmp(buf, "_Z", 2) != 0)
		return;
	pthread_once(&once, find_runtime);
	char *text = runtime_demangle ? runtime_demangle(buf, NULL, NULL, &status) : NULL;
	if (text && !status) {
		size_t len = strlen(text) < sz - 1 ? strlen(text) : sz - 1;
		memcpy(buf, text, len);
		buf[len] = 0;
	}
	free(text);
}
