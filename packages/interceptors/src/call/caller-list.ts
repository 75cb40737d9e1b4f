import type { Caller } from "./caller.ts";

/** Whether a rule admits a caller. */
export type CallerList = (caller: Caller) => boolean;

/**
 * Compiles a list of exact names, URI prefixes that end with `/*`, and `*` for every identified caller.
 *
 * @throws TypeError for a star at another position
 */
export function compileCallerList(where: string, callers: readonly string[]): CallerList {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  let isAnybody = false;
  for (const pattern of callers) {
    const star = pattern.indexOf("*");
    if (pattern === "*") isAnybody = true;
    else if (star === -1) exact.add(pattern);
    // A wildcard in the host would admit any domain, so the slash after the host is required.
    else if (star === pattern.length - 1 && /^[a-z][a-z0-9+.-]*:\/\/[^/]+\/(.+\/)?\*$/.test(pattern)) {
      prefixes.push(pattern.slice(0, -1));
    } else {
      throw new TypeError(
        `${where}: callers has ${JSON.stringify(pattern)}; expected "*" only alone, or after the last slash of a URI`,
      );
    }
  }
  return ({ names }) =>
    isAnybody || names.some((name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix)));
}
