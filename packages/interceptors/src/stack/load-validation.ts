import { importPeer } from "../call/import-peer.ts";

/**
 * Imports the validation feature, which needs another package. Rejects with an Error that names the package to install, if it is missing.
 */
export function loadValidation(): Promise<typeof import("../validation/index.ts")> {
  return importPeer("validation", ["@bufbuild/protovalidate@1"], () => import("../validation/index.ts"));
}
