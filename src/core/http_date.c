/* SPDX-License-Identifier: ISC */

/* By hand: what the C library has depends on locale and time zone. */

#include <stdio.h>

#include "core/http.h"

#define DAY_S 86400

static bool
is_leap(unsigned int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned int
days_of_year(unsigned int year)
{
	return is_leap(year) ? 366 : 365;
}

static unsigned int
days_of_month(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };

	return days[month] + (month == 1 && is_leap(year) ? 1U : 0U);
}

void
http_date(int64_t seconds, char text[HTTP_DATE_MAX])
{
	static const char names[][4] = { "Thu", "Fri", "Sat", "Sun", "Mon",
		"Tue", "Wed" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	unsigned int rest = (unsigned int)(seconds % DAY_S);
	unsigned int day = (unsigned int)(seconds / DAY_S);
	unsigned int weekday = day % 7, year = 1970, month = 0;

	for (; day >= days_of_year(year); year++)
		day -= days_of_year(year);
	for (; day >= days_of_month(year, month); month++)
		day -= days_of_month(year, month);
	(void)snprintf(text, HTTP_DATE_MAX,
	    "%s, %02u %s %04u %02u:%02u:%02u GMT", names[weekday], day + 1,
	    months[month], year, rest / 3600, rest / 60 % 60, rest % 60);
}
