import { importPeer } from "../call/import-peer.ts";

/**
 * Loads the feature with the package that it is built on.
 *
 * @throws Error that says what to install, when the package is missing
 */
export function loadValidation(): Promise<typeof import("../validation/index.ts")> {
  return importPeer("validation", ["@bufbuild/protovalidate@1"], () => import("../validation/index.ts"));
}
