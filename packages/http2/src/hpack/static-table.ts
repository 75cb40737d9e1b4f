/** RFC 7541 Appendix A: name, value of index 1, 2, 3 … */
const definition = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
] as const;

/** Index 1 to 61; the dynamic table's newest entry follows at 62. */
export const staticTableLength = definition.length;

/** By index; index 0 means nothing (RFC 7541 §6.1) and holds an empty string only to keep the array dense. */
export const staticNames: readonly string[] = ["", ...definition.map(([name]) => name)];
export const staticValues: readonly string[] = ["", ...definition.map(([, value]) => value)];

/** Lowest index of each name, which is the one the table orders first. */
export const staticIndexByName: ReadonlyMap<string, number> = new Map(
  definition.map(([name], position) => [name, position + 1] as const).reverse(),
);

/** By name and value: -index, which distinguishes them from the numbers of dynamic entries. One for all encoders. */
export const staticEntriesByName: ReadonlyMap<string, ReadonlyMap<string, number>> = entriesByName();

function entriesByName(): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const byName = new Map<string, Map<string, number>>();
  for (const [position, [name, value]] of definition.entries()) {
    const entries = byName.get(name) ?? new Map<string, number>();
    byName.set(name, entries.set(value, -(position + 1)));
  }
  return byName;
}
