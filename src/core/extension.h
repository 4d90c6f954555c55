/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_EXTENSION_H
#define WSEXEC_EXTENSION_H

/*
 * Which WebSocket extension a client and we agree on: permessage-deflate
 * (RFC 7692) as all clients can share it, or none.
 */

#include <stdbool.h>

struct http_request;

/*
 * The answer to every offer that is taken, a value of
 * Sec-WebSocket-Extensions.  The window is that of deflate.h; a client may be
 * told of one without having asked (RFC 7692 section 7.1.2.1).
 */
#define EXTENSION_DEFLATE                                                      \
	"permessage-deflate; server_max_window_bits=12; "                      \
	"client_no_context_takeover"

/*
 * Whether a handshake offers permessage-deflate such that EXTENSION_DEFLATE
 * can be the answer.  Offers with parameters that there are not, or that ask
 * for less than we need, are passed over.  Where any of the fields is
 * malformed nothing is offered.
 */
bool extension_deflate_is_offered(const struct http_request *request);

#endif
