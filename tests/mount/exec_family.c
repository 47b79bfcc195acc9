/* exec_family.c - starts a program by one function of the exec family: exec_family FUNCTION NAME. The program gets the
 * arguments "a" and "b" and an environment with WORD=yes in it.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn(const char *name, char **argv, char **envp, int searches)
{
	pid_t pid;
	int status;
	int r = searches ? posix_spawnp(&pid, name, NULL, NULL, argv, envp) :
			   posix_spawn(&pid, name, NULL, NULL, argv, envp);

	if (r || waitpid(pid, &status, 0) < 0) {
		fprintf(stderr, "posix_spawn: %s\n", strerror(r));
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	const char *how = argv[1], *name = argv[2];
	char *args[] = { argv[2], "a", "b", NULL };

	setenv("WORD", "yes", 1);
	if (!strcmp(how, "execve"))
		execve(name, args, environ);
	else if (!strcmp(how, "execv"))
		execv(name, args);
	else if (!strcmp(how, "execvp"))
		execvp(name, args);
	else if (!strcmp(how, "execvpe"))
		execvpe(name, args, environ);
	else if (!strcmp(how, "execl"))
		execl(name, name, "a", "b", (char *)NULL);
	else if (!strcmp(how, "execlp"))
		execlp(name, name, "a", "b", (char *)NULL);
	else if (!strcmp(how, "execle"))
		execle(name, name, "a", "b", (char *)NULL, environ);
	else if (!strcmp(how, "fexecve"))
		fexecve(open(name, O_RDONLY), args, environ);
	else if (!strcmp(how, "execveat"))
		execveat(AT_FDCWD, name, args, environ, 0);
	else if (!strcmp(how, "vfork") && vfork() == 0) {
		execve(name, args, environ);
		_exit(1);
	} else if (!strcmp(how, "vfork")) {
		int status = 1;
		wait(&status);
		return WEXITSTATUS(status);
	} else if (!strcmp(how, "posix_spawn"))
		return spawn(name, args, environ, 0);
	else if (!strcmp(how, "posix_spawnp"))
		return spawn(name, args, environ, 1);
	else if (!strcmp(how, "system"))
		return system(name) != 0;
	perror(how);
	return 1;
}
