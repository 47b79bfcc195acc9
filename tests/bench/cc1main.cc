// A compiler of its own, `clang -cc1`, as a workload: this file and all static archives of LLVM and clang, every target.
#include "clang/Basic/DiagnosticOptions.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/CompilerInvocation.h"
#include "clang/Frontend/TextDiagnosticBuffer.h"
#include "clang/FrontendTool/Utils.h"
#include "llvm/Passes/PassPlugin.h"
#include "llvm/Support/TargetSelect.h"

using namespace clang;

// The archives refer to Polly, which they do not hold.
llvm::PassPluginLibraryInfo getPollyPluginInfo()
{
	return {LLVM_PLUGIN_API_VERSION, "Polly", "absent", [](llvm::PassBuilder &) {}};
}

int main(int argc, const char **argv)
{
	llvm::InitializeAllTargets();
	llvm::InitializeAllTargetMCs();
	llvm::InitializeAllAsmPrinters();
	llvm::InitializeAllAsmParsers();

	CompilerInstance clang;
	auto *held = new TextDiagnosticBuffer;
	DiagnosticsEngine early(new DiagnosticIDs, new DiagnosticOptions, held);
	bool ok = CompilerInvocation::CreateFromArgs(clang.getInvocation(), llvm::makeArrayRef(argv + 1, argv + argc), early);
	clang.createDiagnostics();
	held->FlushDiagnostics(clang.getDiagnostics());
#ifdef EDITED
	// What an edit adds to one function: all code behind it moves.
	volatile int edits[64];
	for (int &edit : const_cast<int(&)[64]>(edits))
		edit = argc;
	if (edits[argc & 63] < 0)
		ok = edits[0] + edits[7] * edits[13] > edits[23];
#endif
	return !ok || !ExecuteCompilerInvocation(&clang);
}
