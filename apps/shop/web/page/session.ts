const storageKey = "tercel-shop-token";

/**
 * The token of the person at the page. A link such as `/#token=…`, as `npm start` prints it, brings one: servers never see what follows the #, and it
 * leaves the address bar at once. It is kept for this tab only.
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
