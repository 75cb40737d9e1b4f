import { randomBytes, type ScryptOptions, scrypt } from "node:crypto";
import { resourceExhausted } from "@tercel/grpc/errors";

export interface PasswordHashOptions {
  /** Memory is 128 × cost × blockSize octets. Default 2^15: with the others, one of OWASP's recommendations of 2024. */
  readonly cost?: number;
  readonly blockSize?: number;
  readonly parallelization?: number;
  /** Passwords hashed at once. Default 2: each takes one of libuv's four threads and 32 MiB for a quarter of a second. */
  readonly maxRunning?: number;
  /** Passwords that wait; one more is refused with RESOURCE_EXHAUSTED. Default 32, four seconds of work. */
  readonly maxWaiting?: number;
}

/**
 * Hashes a password with a salt of its own, as `scrypt$N$r$p$salt$hash`: what is stored says how it was made, so that the
 * parameters may change. Rejects with the signal's reason when that aborts meanwhile: nobody waits for the user any more.
 */
export type HashPassword = (password: string, signal: AbortSignal) => Promise<string>;

const saltBytes = 16;
const hashBytes = 32;

/** Creates the hashing of passwords, a bounded number at a time. */
export function createPasswordHash(options: PasswordHashOptions = {}): HashPassword {
  const { cost = 32_768, blockSize = 8, parallelization = 3, maxRunning = 2, maxWaiting = 32 } = options;
  // Node's own bound is exactly what the default takes, and has to be larger.
  const parameters = { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize };
  const waiting: (() => void)[] = [];
  let running = 0;

  function enter(signal: AbortSignal): Promise<void> | undefined {
    signal.throwIfAborted();
    if (running < maxRunning) {
      running += 1;
      return undefined;
    }
    if (waiting.length >= maxWaiting) {
      throw resourceExhausted({ message: "too many passwords are being hashed", retryAfterMs: 1000 });
    }
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(go);
    });
  }

  return async (password, signal) => {
    await enter(signal);
    try {
      const salt = randomBytes(saltBytes);
      const hash = await derive(password, salt, hashBytes, parameters);
      signal.throwIfAborted();
      return ["scrypt", cost, blockSize, parallelization, salt.toString("base64"), hash.toString("base64")].join("$");
    } finally {
      // The place goes on to who waits longest.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

function derive(password: string, salt: Uint8Array, length: number, parameters: ScryptOptions): Promise<Buffer> {
  // NFC, or the same password typed on another keyboard would be another one.
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, length, parameters, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
