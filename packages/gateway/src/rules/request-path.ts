/** A request's path that has been checked. */
export interface RequestPath {
  /** The segments as they were written. None for "/". */
  readonly raw: readonly string[];
  /** The same, decoded. */
  readonly decoded: readonly string[];
}

/** Why a path is refused, in words for the client. */
export interface PathProblem {
  readonly problem: string;
}

/**
 * Takes a path apart. It is split at "/" before anything is decoded, so that "%2F" never ends a segment, and it is never rewritten: what a
 * proxy in front of the server allowed is what is served.
 */
export function parseRequestPath(path: string): RequestPath | PathProblem {
  if (path.charCodeAt(0) !== 0x2f) return { problem: "the path has to begin with /" };
  if (path.length === 1) return root;
  const raw = path.slice(1).split("/");
  const isPlain = !path.includes("%");
  const decoded: string[] = isPlain ? raw : [];
  for (const segment of raw) {
    const plain = isPlain ? segment : decodeSegment(segment);
    if (plain === undefined) return { problem: "the path has an invalid escape" };
    if (plain === "." || plain === "..") return { problem: "the path has a segment of dots" };
    if (plain.includes("\0")) return { problem: "the path has a null character" };
    if (!isPlain) decoded.push(plain);
  }
  return { raw, decoded };
}

const root: RequestPath = { raw: [], decoded: [] };

/** Undefined for an escape that is none, and for bytes that are not UTF-8. */
function decodeSegment(segment: string): string | undefined {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const escapedSlash = /(%2f)/i;

/** The value of a variable that spans several segments: all is decoded but "%2F", or it could not be told from "/". */
export function decodeMulti(rawSegments: readonly string[]): string {
  const text = rawSegments.join("/");
  if (!text.includes("%")) return text;
  // Escapes are whole characters on either side of an escaped slash, so the parts decode alone.
  return text
    .split(escapedSlash)
    .map((part, at) => (at % 2 === 1 ? part : decodeURIComponent(part)))
    .join("");
}
