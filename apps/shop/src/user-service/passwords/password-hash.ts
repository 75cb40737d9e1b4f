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
  /** The cost of a hash. Default: `hashCostFor` the cores of this process. */
  readonly cost?: HashCost;
  /** Maximum number of passwords hashed at once. Default: `maxRunningFor` the cores of this process. */
  readonly maxRunning?: number;
  /** Maximum number of waiting passwords; further ones are refused with RESOURCE_EXHAUSTED. Default 32, some seconds of work. */
  readonly maxWaiting?: number;
  /** The clock, for tests. Default `performance.now`. */
  readonly nowMs?: () => number;
}

/**
 * Hashes and verifies passwords, a limited number at once, in one queue. A call is refused with RESOURCE_EXHAUSTED if the queue is
 * full, or if its deadline would pass before it finishes. A cancelled call leaves the queue and rejects with the reason of its signal.
 */
export interface PasswordHash {
  /** Returns a salted hash as `scrypt$N$r$p$salt$hash`. It contains its parameters, so that the defaults may change. */
  hash(password: string, call: HashingCall): Promise<string>;
  /** Returns whether a password matches a stored hash, with the parameters in it. */
  verify(password: string, stored: string, call: HashingCall): Promise<boolean>;
}

const saltBytes = 16;
const hashBytes = 32;

/** The memory limit. This program never created a hash that needs more. */
const maxStoredMemoryBytes = 256 * 1024 * 1024;

/**
 * Returns one of the parameter sets that OWASP's Password Storage Cheat Sheet lists as equally strong. With few cores, a hash competes with
 * calls for CPU time. Therefore N=2^14, r=8, p=5 has 16 MiB and the least CPU time of those with at least 16 MiB, 0.3 s where it was measured.
 * With more cores, N=2^15, r=8, p=3 has 32 MiB and takes 0.4 s, and costs an attacker with GPUs more. With larger sets (N=2^17, r=8, p=1:
 * 128 MiB and 0.6 s), two simultaneous hashes would take 256 MiB.
 */
export function hashCostFor(cores: number): HashCost {
  return cores < 4
    ? { cost: 2 ** 14, blockSize: 8, parallelization: 5 }
    : { cost: 2 ** 15, blockSize: 8, parallelization: 3 };
}

/**
 * Leaves one core for the event loop, and two of libuv's threads for files and DNS. A hash takes one thread for a third of a second.
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
  // Node checks the parameters and this limit.
  const given: ScryptOptions = { ...parameters, maxmem: maxStoredMemoryBytes };
  // NFC, because keyboards differ in how they encode the same letter.
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, length, given, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
