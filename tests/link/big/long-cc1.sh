#!/bin/sh
# A C compiler made of 400 MB of LLVM's and clang's archives compiles a C file, whose program runs.
# NEEDS: cc cxx /usr/lib/llvm-14/lib/libclangFrontendTool.a /usr/lib/x86_64-linux-gnu/libz3.so
# NEEDS: /usr/lib/llvm-14/include/clang/FrontendTool/Utils.h
. "$(dirname "$0")/../lib.sh"

cat >cc1.cc <<'END'
#include "clang/Basic/DiagnosticOptions.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/CompilerInvocation.h"
#include "clang/Frontend/TextDiagnosticPrinter.h"
#include "clang/FrontendTool/Utils.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/PassPlugin.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
llvm::PassPluginLibraryInfo getPollyPluginInfo() // Polly's archive is a package of its own
{
	return {LLVM_PLUGIN_API_VERSION, "Polly", "absent", [](llvm::PassBuilder &) {}};
}
int main(int argc, const char **argv)
{
	llvm::InitializeAllTargets();
	llvm::InitializeAllTargetMCs();
	llvm::InitializeAllAsmPrinters();
	llvm::InitializeAllAsmParsers();
	clang::CompilerInstance compiler;
	llvm::IntrusiveRefCntPtr<clang::DiagnosticOptions> options(new clang::DiagnosticOptions());
	clang::DiagnosticsEngine diagnostics(new clang::DiagnosticIDs(), &*options,
					     new clang::TextDiagnosticPrinter(llvm::errs(), &*options));
	if (!clang::CompilerInvocation::CreateFromArgs(compiler.getInvocation(), llvm::makeArrayRef(argv + 1, argv + argc),
						       diagnostics))
		return 1;
	compiler.createDiagnostics();
	return clang::ExecuteCompilerInvocation(&compiler) ? 0 : 1;
}
END
cat >hello.c <<'END'
int puts(const char *);
static int square(int x) { return x * x; }
int main(void) { puts("compiled by cc1"); return square(7); }
END
llvm=/usr/lib/llvm-14
cxx -fno-rtti -fPIE -I$llvm/include -D_GNU_SOURCE -D__STDC_CONSTANT_MACROS -D__STDC_LIMIT_MACROS -c cc1.cc
archives=$(find $llvm/lib/ -name 'libclang[A-Z]*.a' -o -name 'libLLVM?*.a' | LC_ALL=C sort)
cxx -pie cc1.o -Wl,--start-group $archives -Wl,--end-group -lz3 -lz -lrt -ldl -ltinfo -lm -lpthread -o cc1
./cc1 -triple x86_64-unknown-linux-gnu -emit-obj -O2 -mrelocation-model pic -pic-level 2 -pic-is-pie -o hello.o hello.c
cc hello.o -o hello
status=0
./hello >out || status=$?
equal "$(cat out) $status" "compiled by cc1 49" "the program that it compiled"
check_elf cc1
