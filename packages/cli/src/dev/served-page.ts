const timeoutMs = 2000;
/** Matches a page that reads a token from `#token=` of its address, which browsers do not send to servers. */
const takesToken = /<meta\s+name="tercel-token"\s+content="fragment"/;

/**
 * Finds the HTML page that a service serves at `/`; undefined if it has none.
 *
 * @param base URL of the service, such as `http://127.0.0.1:8080`
 * @param token for the link, if the page accepts one
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
    // The service does not serve HTTP, or is ending.
    return undefined;
  }
}
