/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_PROCESS_H
#define WSEXEC_PROCESS_H

struct status_process;

/*
 * Asks the kernel, by proc(5) and getrusage(2), about the own process; what it
 * does not say is 0.
 */
void process_read(struct status_process *process);

#endif
