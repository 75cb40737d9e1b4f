import { importPeer } from "../call/import-peer.ts";

/** What tokens are verified with. Imported when a server asks for it, so that clients and callers of `claimsKey` need not install it. */
export type Jose = typeof import("jose");

let loading: Promise<Jose> | undefined;

/** @throws Error that says what to install, when it is missing */
export function loadJose(): Promise<Jose> {
  loading ??= importPeer("createAuth", ["jose@6"], () => import("jose"));
  return loading;
}
