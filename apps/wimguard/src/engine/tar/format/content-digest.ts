import type { Buffer } from "node:buffer";
import { createHash, type Hash, hash } from "node:crypto";

/**
 * The SHA-256 of a file as it flows by. Most files come in one piece, which is hashed at the end: an object that hashes takes longer to make than a
 * small file to hash.
 */
export class ContentDigest {
  #first: Buffer | undefined;
  #hash: Hash | undefined;

  /** Keeps the first piece, which must not be overwritten. */
  update(bytes: Buffer): void {
    if (this.#hash === undefined && this.#first === undefined) {
      this.#first = bytes;
      return;
    }
    this.#begin().update(bytes);
  }

  /** In hexadecimal. */
  digest(): string {
    return this.#hash === undefined ? hash("sha256", this.#first ?? "", "hex") : this.#hash.digest("hex");
  }

  #begin(): Hash {
    if (this.#hash === undefined) {
      this.#hash = createHash("sha256");
      if (this.#first !== undefined) this.#hash.update(this.#first);
      this.#first = undefined;
    }
    return this.#hash;
  }
}
