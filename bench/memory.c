/*
 * memory - what the search page is compared with: a FastCGI program that answers every request with the same bytes from
 * memory.
 *
 *	memory SOCKET WORKERS ANSWER        ANSWER: a file with header lines ("Status: 200 OK\r\n…\r\n\r\n") and body
 *
 * Plain libfcgi as its documentation shows it: FCGX_Accept_r, one FCGX_PutStr, FCGX_Finish_r. SIGTERM ends parent and
 * workers.
 */
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char answer[1 << 20];

static void
serve(int fd, int n)
{
	FCGX_Request request;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	FCGX_InitRequest(&request, fd, 0);
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutStr(answer, n, request.out);
		FCGX_Finish_r(&request);
	}
}

int
main(int argc, char **argv)
{
	FILE *f = argc == 4 ? fopen(argv[3], "r") : NULL;
	int n = f ? (int)fread(answer, 1, sizeof(answer), f) : 0, fd;

	if (n <= 0 || FCGX_Init() != 0 || (fd = FCGX_OpenSocket(argv[1], 1024)) < 0)
		return fputs("memory SOCKET WORKERS ANSWER\n", stderr), 2;
	fclose(f);
	for (int i = atoi(argv[2]); i > 0; i--)
		if (fork() == 0)
			return serve(fd, n), 0;
	while (wait(NULL) > 0)
		;
	return 0;
}
