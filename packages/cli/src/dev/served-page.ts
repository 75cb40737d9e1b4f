const timeoutMs = 2000;
/** By which a page says that it reads a token after `#token=` of its address, which browsers do not send to servers. */
const takesToken = /<meta\s+name="tercel-token"\s+content="fragment"/;

/**
 * Finds the page that a service shows to people: what it has at `/` as HTML. Undefined where it has none.
 *
 * @param base such as `http://127.0.0.1:8080`
 * @param token signs a person in where the page takes one
 */
export async function findPage(
  base: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const response = await fetch(`${base}/`, {
      headers: { accept: "text/html" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const html = await response.text();
    if (!response.ok || !/^text\/html\b/i.test(response.headers.get("content-type") ?? "")) return undefined;
    return token !== undefined && takesToken.test(html) ? `${base}/#token=${token}` : `${base}/`;
  } catch {
    // It is not served by HTTP, or the service ends.
    return undefined;
  }
}
