import type { Buffer } from "node:buffer";
import type { TarMember } from "./tar-header.ts";

/** What a reader finds, in the order of the archive. */
export interface TarEvents {
  onMember?(member: TarMember): void;
  /** Data as the archive has it: the map of a sparse file and the padding included. */
  onRaw?(bytes: Buffer): void;
  /** Bytes of the file itself. */
  onContent?(bytes: Buffer): void;
  /** So many zero bytes of the file that the archive does not hold. */
  onHole?(bytes: number): void;
  onMemberEnd?(member: TarMember): void;
}
