/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_BROWSER_H
#define WSEXEC_BROWSER_H

/*
 * Opens the page in the user's browser: with the first program of the list in
 * BROWSER that there is, or xdg-open(1).  Nobody waits for it, it outlives us,
 * and a failure is one warning, of the process that has started it.
 */

/* urls: addresses, each with a newline, of which it is the first by HTTP. */
void browser_open(const char *urls);

#endif
