import type { Caller } from "./caller.ts";

/** Which callers a rule lets in. */
export type CallerList = (caller: Caller) => boolean;

/**
 * Names as they are, URIs that end in `/*` for everything below, and `*` for every caller that has proved its identity.
 *
 * @throws TypeError for a star in another place
 */
export function compileCallerList(where: string, callers: readonly string[]): CallerList {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  let isAnybody = false;
  for (const pattern of callers) {
    const star = pattern.indexOf("*");
    if (pattern === "*") isAnybody = true;
    else if (star === -1) exact.add(pattern);
    // A host that may be anything proves nothing, so the slash after it is required.
    else if (star === pattern.length - 1 && /^[a-z][a-z0-9+.-]*:\/\/[^/]+\/(.+\/)?\*$/.test(pattern)) {
      prefixes.push(pattern.slice(0, -1));
    } else {
      throw new TypeError(
        `${where}: callers has ${JSON.stringify(pattern)}; expected a star only alone, or after the last slash of a URI`,
      );
    }
  }
  return ({ names }) =>
    isAnybody || names.some((name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix)));
}
