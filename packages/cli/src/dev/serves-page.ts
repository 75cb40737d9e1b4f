const timeoutMs = 2000;

/** Whether a service shows a page to browsers at the root of an address. */
export async function servesPage(address: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${address}/`, {
      headers: { accept: "text/html" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    return response.ok && response.headers.get("content-type")?.startsWith("text/html") === true;
  } catch {
    return false;
  }
}
