/** `host:port` of a call's URL; parsing the whole URL would cost more than the call's other bookkeeping. */
export function authorityOf(url: string): string | undefined {
  const start = url.indexOf("//");
  const end = url.indexOf("/", start + 2);
  return start < 0 || end < 0 ? undefined : url.slice(start + 2, end);
}
