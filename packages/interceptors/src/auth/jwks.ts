import type { Clock, Log } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions, thrownText } from "@tercel/grpc/internal";
import { type CryptoKey, createLocalJWKSet, errors, type JWSHeaderParameters } from "jose";
import { checkAlgorithm, type TokenAlgorithm } from "./token-keys.ts";

/** Keys that the issuer publishes (RFC 7517 §5). */
export interface JwksOptions {
  /** Where they are. `https:`, or `http:` on this machine. */
  readonly url: string | URL;
  /** Which signatures count; a key of the set is used for these only. Not HS256 and its kin: a published key is no secret. */
  readonly algorithms: readonly TokenAlgorithm[];
  /** Keys older than this are fetched again, without a call that waits for it. Default 10 min. */
  readonly maxAgeMs?: number;
  /** An unknown key id, or a failure, leads to no other request before this has passed. Default 30 s. */
  readonly cooldownMs?: number;
  /** A request that takes longer has failed. Default 5 s. */
  readonly timeoutMs?: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** The keys cannot be had, so that nothing can be said about a token. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

type FindKey = ReturnType<typeof createLocalJWKSet>;

const maxDocumentBytes = 1024 * 1024;

/**
 * A key set that is fetched when the first token comes, and again when it is old or a token names a key that is not in it: so
 * an issuer may rotate its keys at any time. While the issuer cannot be reached the last set goes on to count.
 */
export class JwksKeys {
  private readonly url: URL;
  private readonly algorithms: readonly string[];
  private readonly maxAgeMs: number;
  private readonly cooldownMs: number;
  private readonly timeoutMs: number;
  private readonly doFetch: typeof fetch;
  private readonly clock: Clock;
  private readonly log: Log;
  private findKey: FindKey | undefined = undefined;
  private fetchedAtMs = Number.NEGATIVE_INFINITY;
  private askedAtMs = Number.NEGATIVE_INFINITY;
  private fetching: Promise<void> | undefined = undefined;

  /** @throws TypeError or RangeError that names the option */
  constructor(where: string, options: JwksOptions, clock: Clock, log: Log) {
    refuseUnknownOptions(where, options, ["url", "algorithms", "maxAgeMs", "cooldownMs", "timeoutMs", "fetch"]);
    this.url = checkedUrl(where, options.url);
    this.algorithms = checkedAlgorithms(where, options.algorithms);
    checkWholeNumber(where, "maxAgeMs", options.maxAgeMs, 1000, Number.MAX_SAFE_INTEGER);
    checkWholeNumber(where, "cooldownMs", options.cooldownMs, 1000, Number.MAX_SAFE_INTEGER);
    checkWholeNumber(where, "timeoutMs", options.timeoutMs, 1, 0x7fff_ffff);
    this.maxAgeMs = options.maxAgeMs ?? 600_000;
    this.cooldownMs = options.cooldownMs ?? 30_000;
    this.timeoutMs = options.timeoutMs ?? 5_000;
    this.doFetch = options.fetch ?? fetch;
    this.clock = clock;
    this.log = log;
  }

  /**
   * The key for a token's header; undefined when the issuer has none.
   *
   * @throws KeysUnavailable when there has never been a set
   */
  async find(header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
    if (header.alg === undefined || !this.algorithms.includes(header.alg)) return undefined;
    if (this.findKey === undefined) await this.refresh();
    else if (this.clock.nowMs() - this.fetchedAtMs >= this.maxAgeMs) void this.refresh();
    const found = await this.lookUp(header);
    if (found !== undefined || !(await this.refresh())) return found;
    return this.lookUp(header);
  }

  private async lookUp(header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
    if (this.findKey === undefined) throw new KeysUnavailable("the issuer's keys cannot be had");
    try {
      return await this.findKey({ alg: header.alg as string, ...(header.kid !== undefined && { kid: header.kid }) });
    } catch (error) {
      // Without a key id several keys may fit; which one is meant must be said.
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  /** Whether there was a request, its own or one under way. It never rejects. */
  private refresh(): Promise<boolean> {
    if (this.fetching === undefined) {
      const nowMs = this.clock.nowMs();
      if (nowMs - this.askedAtMs < this.cooldownMs) return Promise.resolve(false);
      this.askedAtMs = nowMs;
      this.fetching = this.fetchKeys().then(
        (findKey) => {
          this.findKey = findKey;
          this.fetchedAtMs = this.clock.nowMs();
          this.fetching = undefined;
        },
        (error) => {
          this.fetching = undefined;
          this.log.warn("the keys that tokens are checked with could not be fetched", {
            url: `${this.url.origin}${this.url.pathname}`,
            error: thrownText(error),
          });
        },
      );
    }
    return this.fetching.then(() => true);
  }

  private async fetchKeys(): Promise<FindKey> {
    const response = await this.doFetch(this.url, {
      headers: { accept: "application/jwk-set+json, application/json" },
      // The set is trusted because of where it comes from.
      redirect: "error",
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the answer has status ${response.status}`);
    }
    return createLocalJWKSet(JSON.parse(await readText(response)));
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxDocumentBytes) throw new Error(`the answer has more than ${maxDocumentBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function checkedUrl(where: string, given: string | URL): URL {
  const url = URL.canParse(String(given)) ? new URL(given) : undefined;
  const isLocal = url !== undefined && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLocal)) return url;
  throw new TypeError(`${where}: url has to be an https: address, or an http: one of this machine`);
}

function checkedAlgorithms(where: string, algorithms: readonly TokenAlgorithm[]): readonly string[] {
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw new TypeError(`${where}: algorithms has to name at least one signature, for example ["RS256"]`);
  }
  algorithms.forEach((one: string, at: number) => {
    checkAlgorithm(`${where}: algorithms[${at}]`, one);
    if (one.startsWith("HS")) throw new TypeError(`${where}: ${one} needs a secret, and what is published is none`);
  });
  return algorithms;
}
