/** Returns `host:port` of a call's URL. Does not parse the whole URL, which would cost more than the rest of the bookkeeping. */
export function authorityOf(url: string): string | undefined {
  const start = url.indexOf("//");
  const end = url.indexOf("/", start + 2);
  return start < 0 || end < 0 ? undefined : url.slice(start + 2, end);
}
