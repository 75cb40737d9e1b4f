import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";
import { createHashQueue, type HashingCall } from "./hash-queue.ts";

/** The parameters of scrypt (RFC 7914): memory is 128 × cost × blockSize bytes, work is that times parallelization. */
export interface HashCost {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

export interface PasswordHashOptions {
  /** What a hash costs. Default: `hashCostFor` the cores that this process may use. */
  readonly cost?: HashCost;
  /** Passwords hashed at once. Default: `maxRunningFor` the cores that this process may use. */
  readonly maxRunning?: number;
  /** Passwords that wait; one more is refused with RESOURCE_EXHAUSTED. Default 32, some seconds of work. */
  readonly maxWaiting?: number;
  /** For tests: where time comes from. Default `performance.now`. */
  readonly nowMs?: () => number;
}

/**
 * Hashes and verifies passwords, a bounded number at a time, both in one queue. A call is refused with RESOURCE_EXHAUSTED when the queue is
 * full or its time will be over before its turn has ended, and leaves the queue, with the reason of its signal, when it is cancelled.
 */
export interface PasswordHash {
  /** The hash with a salt of its own, as `scrypt$N$r$p$salt$hash`: what is stored says how it was made, so that the parameters may change. */
  hash(password: string, call: HashingCall): Promise<string>;
  /** Whether a password leads to a stored hash, whatever parameters that was made with. */
  verify(password: string, stored: string, call: HashingCall): Promise<boolean>;
}

const saltBytes = 16;
const hashBytes = 32;

/** A hash that would take more memory was not made by this program. */
const maxStoredMemoryBytes = 256 * 1024 * 1024;

/**
 * Two of the parameter sets that OWASP's Password Storage Cheat Sheet gives as equally strong. With few cores, N=2^14, r=8, p=5: 16 MiB and
 * the least CPU time of those with at least 16 MiB, 0.3 s on the machine it was measured on, because there a hash takes its time from the
 * calls. With more cores, N=2^15, r=8, p=3: 32 MiB and 0.4 s, which costs an attacker with GPUs more. Larger sets (N=2^17, r=8, p=1: 128 MiB
 * and 0.6 s) would let two hashes at a time take 256 MiB.
 */
export function hashCostFor(cores: number): HashCost {
  return cores < 4
    ? { cost: 2 ** 14, blockSize: 8, parallelization: 5 }
    : { cost: 2 ** 15, blockSize: 8, parallelization: 3 };
}

/**
 * One core stays free for the event loop, and two of libuv's threads for files and DNS: a hash takes one thread for a third of a second.
 *
 * @param poolThreads libuv's threads: `UV_THREADPOOL_SIZE`, or 4.
 */
export function maxRunningFor(cores: number, poolThreads = Number(process.env.UV_THREADPOOL_SIZE) || 4): number {
  return Math.max(1, Math.min(cores - 1, poolThreads - 2));
}

/** Creates the hashing of passwords. */
export function createPasswordHash(options: PasswordHashOptions = {}): PasswordHash {
  const cores = availableParallelism();
  const { cost, blockSize, parallelization } = options.cost ?? hashCostFor(cores);
  const parameters = { cost, blockSize, parallelization };
  const enter = createHashQueue({
    maxRunning: options.maxRunning ?? maxRunningFor(cores),
    maxWaiting: options.maxWaiting ?? 32,
    nowMs: options.nowMs ?? (() => performance.now()),
  });

  return {
    hash(password, call) {
      return enter(call, async () => {
        const salt = randomBytes(saltBytes);
        const hash = await derive(password, salt, hashBytes, parameters);
        return ["scrypt", cost, blockSize, parallelization, salt.toString("base64"), hash.toString("base64")].join("$");
      });
    },
    async verify(password, stored, call) {
      const { salt, hash, ...storedParameters } = parse(stored);
      return enter(call, async () =>
        timingSafeEqual(await derive(password, salt, hash.length, storedParameters), hash),
      );
    },
  };
}

function parse(stored: string): HashCost & { readonly salt: Buffer; readonly hash: Buffer } {
  const [kind, ...parts] = stored.split("$");
  const [cost = 0, blockSize = 0, parallelization = 0] = parts.slice(0, 3).map(Number);
  const [salt, hash] = parts.slice(3).map((part) => Buffer.from(part, "base64"));
  if (kind !== "scrypt" || salt === undefined || hash === undefined || hash.length < hashBytes) {
    throw new Error("not a password hash of this program");
  }
  return { cost, blockSize, parallelization, salt, hash };
}

function derive(password: string, salt: Uint8Array, length: number, parameters: HashCost): Promise<Buffer> {
  // Node checks the parameters, and that they need less than this.
  const given: ScryptOptions = { ...parameters, maxmem: maxStoredMemoryBytes };
  // NFC, or the same password typed on another keyboard would be another one.
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, length, given, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
