/* SPDX-License-Identifier: ISC */

/*
 * Whether a line tells of an error or a warning, by the words that compilers,
 * test runners and loggers use.  It is a guess, made to be right about what
 * people look for and silent about "0 errors" and "error.c".
 */

const ERROR = new RegExp([
	/* "foo.c:7: error: ...", "ERROR [main] ...", "make: *** [all] Error 2" */
	"(?<![\\w.$/\\\\-])(?:fatal error|internal error|error|fatal|panic" +
	    "|critical|emerg|alert|severe)(?=[\\s:;\\])(,!\"'|=\\[]|$)",
	/* "E0425", "ValueError: ...", "java.lang.NullPointerException" */
	"\\b[A-Z]\\w*(?:Error|Exception)(?=[\\s:(]|$)",
	"^(?:E|F)(?:/|\\d{4} )",
	"^[\\s-]*(?:FAIL|FAILED|not ok|npm ERR!|\u2717|\u2716|\u274c)(?=[\\s:]|$)",
	"\\b(?:FAILED|FAILURE)\\b",
	"^Traceback \\(most recent call last\\)",
	"\\b[Ss]egmentation fault\\b|\\bcore dumped\\b|\\bundefined reference\\b",
	"\\bcommand not found\\b|\\bPermission denied\\b|\\bNo such file or\\b",
	"^::error\\b|^##\\[error\\]",
].map((source) => `(?:${source})`).join("|"));

const ERROR_WORD = /(?<![\w.$/\\-])(?:error|fatal|panic|critical)(?![\w.-])/i;

const WARNING = new RegExp([
	"(?<![\\w.$/\\\\-])(?:warning|warn)(?=[\\s:;\\])(,!\"'|=\\[]|$)",
	"\\b[A-Z]\\w*Warning(?=[\\s:(]|$)",
	"(?<![\\w-])deprecated(?![\\w-])",
	"^W(?:/|\\d{4} )",
	"^\\s*(?:\u26a0)",
].map((source) => `(?:${source})`).join("|"), "i");

/* "no errors", "0 errors", "errors: 0", "error=0", "without warnings" */
const NONE = new RegExp("\\b(?:no|0|zero|without(?: any)?)" +
    "\\s+(?:\\w+\\s+)?(?:errors?|failures?|failed|warnings?)\\b" +
    "|\\b(?:errors?|failures?|failed|warnings?)\\s*[:=]\\s*" +
    "(?:0|none|null|false)\\b", "gi");

const LOOKED_AT = 2000; /* characters: what a line is, it says early */

/* "error", "warning" or null. */
export function severityOf(text) {
	const start = text.slice(0, LOOKED_AT).replace(NONE, "");

	if (ERROR.test(start) || ERROR_WORD.test(start))
		return WARNING.test(start) && !firstIsError(start) ?
		    "warning" : "error";
	return WARNING.test(start) ? "warning" : null;
}

/* "warning: ... as error" is a warning, "error: ... warning" an error. */
function firstIsError(text) {
	const error = Math.min(...[ERROR, ERROR_WORD]
	    .map((expression) => text.search(expression))
	    .filter((at) => at >= 0));

	return error <= text.search(WARNING);
}
