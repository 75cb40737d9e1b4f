import { importPeer } from "../call/import-peer.ts";

/** The package that verifies tokens. Imported only by servers that use it, so that clients and users of `claimsKey` need not install it. */
export type Jose = typeof import("jose");

let loading: Promise<Jose> | undefined;

/** Imports the package. Rejects with an Error that names the package to install, if it is missing. */
export function loadJose(): Promise<Jose> {
  loading ??= importPeer("createAuth", ["jose@6"], () => import("jose"));
  return loading;
}
