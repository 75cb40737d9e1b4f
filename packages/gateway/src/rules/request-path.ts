/** A valid request path. */
export interface RequestPath {
  /** The segments as sent. Empty for "/". */
  readonly raw: readonly string[];
  /** The decoded segments. */
  readonly decoded: readonly string[];
}

/** The reason to refuse a path. The client sees it. */
export interface PathProblem {
  readonly problem: string;
}

/**
 * Parses a path. Splits it at "/" before decoding, so that "%2F" does not end a segment, and never normalizes it: the server serves exactly the
 * path that a proxy in front of it has allowed.
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

/** Undefined for an invalid escape or bytes that are not UTF-8. */
function decodeSegment(segment: string): string | undefined {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const escapedSlash = /(%2f)/i;

/** The value of a variable with several segments. Decodes everything except "%2F", which would be confused with "/". */
export function decodeMulti(rawSegments: readonly string[]): string {
  const text = rawSegments.join("/");
  if (!text.includes("%")) return text;
  // A slash is never part of a multi-byte character, so the text on either side can be decoded on its own.
  return text
    .split(escapedSlash)
    .map((part, at) => (at % 2 === 1 ? part : decodeURIComponent(part)))
    .join("");
}
