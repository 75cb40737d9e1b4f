const storageKey = "tercel-shop-token";

/**
 * The token of the person at the page. It comes from a link such as `/#token=…`, which `npm start` prints. Browsers do not send the part after the # to
 * servers, and the page removes it from the address bar at once. The token is kept for this tab only.
 */
export function readToken(): string | undefined {
  const brought = new URLSearchParams(location.hash.slice(1)).get("token");
  if (brought !== null && brought !== "") {
    keepToken(brought);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(storageKey) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(storageKey, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(storageKey);
}
