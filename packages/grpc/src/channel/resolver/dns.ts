import { Code, ConnectError } from "@connectrpc/connect";
import { isIpv4, isIpv6 } from "../ip-address.ts";
import type { ParsedTarget } from "../target.ts";
import { type DnsLookup, nodeDnsLookup } from "./dns-lookup.ts";
import type { Resolver, ResolverEnvironment, ResolverFactory, ResolverListener } from "./index.ts";
import { reportAddresses } from "./static.ts";

export interface DnsResolverOptions {
  /**
   * Least time from one successful resolution to the next, however often the channel asks. Default 30,000 ms as in grpc-go
   * and grpc-js: a channel asks each time a connection is lost, and a name server must not feel every restart.
   */
  readonly minTimeBetweenResolutionsMs?: number;
  /** Default: the system's resolver, or the DNS server that the target names. */
  readonly lookup?: DnsLookup;
}

/** Makes the resolver for `dns:` targets: every address of the host is an endpoint, all with the target's port. */
export function createDnsResolver(options: DnsResolverOptions = {}): ResolverFactory {
  const lookup = options.lookup ?? nodeDnsLookup;
  const minTimeBetweenMs = options.minTimeBetweenResolutionsMs ?? 30_000;
  return {
    scheme: "dns",
    create(target, listener, environment) {
      const [address] = target.addresses;
      if (address === undefined || !("host" in address)) throw new TypeError("a dns target names one host");
      const { host, port } = address;
      // No name system knows more about an IP address.
      if (isIpv4(host) || isIpv6(host)) return reportAddresses(target, listener);
      return new DnsResolution(target, host, port, { lookup, minTimeBetweenMs }, listener, environment);
    },
  };
}

/**
 * ```text
 *            accepted                    resolveNow, once the pause is over
 * looking up ────────► fresh for a while ──────────────────────────────────► looking up
 *            failed or refused
 *            ────────► backing off ─────── pause is over ──────────────────► looking up
 * ```
 */
class DnsResolution implements Resolver {
  readonly #target: ParsedTarget;
  readonly #host: string;
  readonly #port: number;
  readonly #settings: { readonly lookup: DnsLookup; readonly minTimeBetweenMs: number };
  readonly #listener: ResolverListener;
  readonly #environment: ResolverEnvironment;
  readonly #closing = new AbortController();
  #isLookingUp = false;
  /** Calls off the next lookup, if one is planned. */
  #cancelTimer: (() => void) | undefined;
  #failuresInRow = 0;
  #freshUntilMs = 0;

  constructor(
    target: ParsedTarget,
    host: string,
    port: number,
    settings: { readonly lookup: DnsLookup; readonly minTimeBetweenMs: number },
    listener: ResolverListener,
    environment: ResolverEnvironment,
  ) {
    this.#target = target;
    this.#host = host;
    this.#port = port;
    this.#settings = settings;
    this.#listener = listener;
    this.#environment = environment;
    this.#lookUp();
  }

  resolveNow(): void {
    // A lookup under way is as new as one that would begin now, and a planned one covers the wish too.
    if (this.#isLookingUp || this.#cancelTimer !== undefined || this.#closing.signal.aborted) return;
    const waitMs = this.#freshUntilMs - this.#environment.clock.nowMs();
    if (waitMs > 0) this.#lookUpAfter(waitMs);
    else this.#lookUp();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#closing.abort();
  }

  #lookUpAfter(delayMs: number): void {
    this.#cancelTimer = this.#environment.clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      this.#lookUp();
    });
  }

  #lookUp(): void {
    this.#isLookingUp = true;
    const server = this.#target.resolverAuthority === "" ? undefined : this.#target.resolverAuthority;
    this.#settings.lookup(this.#host, server, this.#closing.signal).then(
      (found) => this.#onFound(found),
      (error) => this.#onFailed(error),
    );
  }

  #onFound(found: readonly string[]): void {
    if (this.#closing.signal.aborted) return;
    this.#isLookingUp = false;
    const hosts = [...new Set(found)];
    const isAccepted = this.#listener.onResult({
      endpoints: hosts.map((host) => ({ addresses: [{ host, port: this.#port }] })),
    });
    // The listener may have closed this resolver.
    if (this.#closing.signal.aborted) return;
    if (!isAccepted) {
      this.#backOff();
      return;
    }
    this.#failuresInRow = 0;
    this.#freshUntilMs = this.#environment.clock.nowMs() + this.#settings.minTimeBetweenMs;
  }

  #onFailed(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#isLookingUp = false;
    const delayMs = this.#backOff();
    const reason = error instanceof Error ? error.message : String(error);
    const attempt = `attempt ${this.#failuresInRow}, next in ${(delayMs / 1000).toFixed(1)} s`;
    this.#listener.onError(
      new ConnectError(
        `cannot resolve "${this.#target.text}": ${reason} (${attempt})`,
        Code.Unavailable,
        undefined,
        undefined,
        error,
      ),
    );
  }

  #backOff(): number {
    const delayMs = this.#environment.backoff(this.#failuresInRow);
    this.#failuresInRow += 1;
    this.#lookUpAfter(delayMs);
    return delayMs;
  }
}
