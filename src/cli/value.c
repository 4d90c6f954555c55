/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/value.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Whether value is one or more of these characters and nothing else. */
static bool
value_consists_of(const char *value, const char *characters)
{
	return *value != '\0' && value[strspn(value, characters)] == '\0';
}

bool
value_scan_integer(const char *text, double *number)
{
	const char *error;
	long long n;

	/* strtonum() would also skip blanks and take a plus sign. */
	if (!value_consists_of(text + (*text == '-'), DIGITS))
		return false;
	n = strtonum(text, LLONG_MIN, LLONG_MAX, &error);
	if (error != NULL)
		*number = *text == '-' ? -HUGE_VAL : HUGE_VAL;
	else
		*number = (double)n;
	return true;
}

bool
value_scan_size(const char *text, double *number)
{
	static const char suffixes[] = "KMG";
	char digits[32];
	const char *suffix;
	size_t n = strlen(text);

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, text, n + 1);
	suffix = strchr(suffixes, toupper((unsigned char)text[n - 1]));
	if (suffix == NULL)
		return value_scan_integer(text, number);
	digits[n - 1] = '\0';
	if (!value_scan_integer(digits, number))
		return false;
	for (const char *p = suffixes; p <= suffix; p++)
		*number *= 1024;
	return true;
}

bool
value_scan_mode(const char *text, double *number)
{
	if (!value_consists_of(text, "01234567"))
		return false;
	/* What is too much for it is ULONG_MAX. */
	*number = (double)strtoul(text, NULL, 8);
	return true;
}

bool
value_scan_decimal(const char *text, double *number)
{
	char *end;

	/* strtod() would also take blanks, exponents, hexadecimal and nan. */
	if (!value_consists_of(text + (*text == '-'), DIGITS "."))
		return false;
	*number = strtod(text, &end);
	return *end == '\0';
}

bool
value_scan_signal(const char *text, double *number)
{
	const char *name;

	if (isdigit((unsigned char)*text))
		return value_scan_integer(text, number);
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 1; i < NSIG; i++) {
		if ((name = sigabbrev_np(i)) == NULL ||
		    strcasecmp(text, name) != 0)
			continue;
		*number = i;
		return true;
	}
	return false;
}

bool
value_scan_choice(const char *words, const char *text, double *number)
{
	size_t n = strlen(text), length;

	for (*number = 0; *words != '\0'; *number += 1) {
		length = strcspn(words, "|");
		if (n == length && strncmp(text, words, n) == 0)
			return true;
		words += length + (words[length] == '|');
	}
	return false;
}

bool
value_is_base_path(const char *value)
{
	if (value[0] != '/' || strstr(value, "//") != NULL)
		return false;
	for (; *value != '\0'; value++)
		if (*value <= ' ' || *value > '~' ||
		    strchr("?#%", *value) != NULL)
			return false;
	return true;
}

bool
value_is_assignment(const char *value)
{
	return value[0] != '=' && strchr(value, '=') != NULL;
}

bool
value_is_host(const char *value)
{
	return value_consists_of(value, LETTERS DIGITS ".-_:[]");
}

bool
value_is_network(const char *value)
{
	const int family = strchr(value, ':') != NULL ? AF_INET6 : AF_INET;
	const char *bits = strchr(value, '/'), *error = NULL;
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored; /* room for either */
	size_t n = strcspn(value, "/");

	if (strcmp(value, "unix") == 0)
		return true;
	if (n >= sizeof(address))
		return false;
	memcpy(address, value, n);
	address[n] = '\0';
	if (bits != NULL &&
	    (!value_consists_of(bits + 1, DIGITS) || strlen(bits + 1) > 3))
		return false;
	if (bits != NULL)
		strtonum(bits + 1, 0, family == AF_INET ? 32 : 128, &error);
	return inet_pton(family, address, &ignored) == 1 && error == NULL;
}

/* Skips a name, an IPv4 address or "[an IPv6 address]".  NULL: none there. */
static const char *
value_skip_host(const char *p)
{
	size_t n;

	if (*p != '[') {
		n = strspn(p, LETTERS DIGITS ".-_");
		return n == 0 ? NULL : p + n;
	}
	n = strspn(p + 1, "abcdefABCDEF:." DIGITS);
	return n == 0 || p[1 + n] != ']' ? NULL : p + 1 + n + 1;
}

bool
value_is_credential(const char *value)
{
	size_t i;

	for (i = 0; value[i] != '\0'; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == '\x7f')
			return false;
	return i <= VALUE_CREDENTIAL_MAX && value[0] != ':' &&
	    strchr(value, ':') != NULL;
}

bool
value_is_origin(const char *value)
{
	const char *p, *error;

	if (strncasecmp(value, "http://", 7) == 0)
		p = value_skip_host(value + 7);
	else if (strncasecmp(value, "https://", 8) == 0)
		p = value_skip_host(value + 8);
	else
		return false;
	if (p == NULL || *p == '\0')
		return p != NULL;
	if (*p != ':' || !value_consists_of(p + 1, DIGITS))
		return false;
	strtonum(p + 1, 1, 65535, &error);
	return error == NULL;
}
