/* SPDX-License-Identifier: ISC */

/*
 * Put into index.html by scripts/embed, and the only script that the policy
 * names, by its hash.  A script that it makes, and what that imports, is
 * trusted with it ('strict-dynamic'): this holds in all browsers for an
 * element made by a script, but not for import() or for one in the markup.
 * Trusted Types see to it that it can be no other script than this one.
 */
{
	const policy = globalThis.trustedTypes?.createPolicy("wsexec",
	    { createScriptURL: () => "viewer.js" });
	const script = document.createElement("script");

	script.type = "module";
	script.src = policy?.createScriptURL("") ?? "viewer.js";
	document.head.append(script);
}
