import { hostname } from "node:os";
import { Code, ConnectError } from "@connectrpc/connect";
import { checkWholeNumber, refuseUnknownOptions } from "../../options/check-options.ts";
import { isIpv4, isIpv6 } from "../naming/ip-address.ts";
import type { ParsedTarget } from "../naming/target.ts";
import { type DnsLookup, nodeDnsLookup } from "./dns-lookup.ts";
import { type DnsTxtLookup, nodeDnsTxtLookup } from "./dns-txt-lookup.ts";
import type { Resolver, ResolverEnvironment, ResolverFactory, ResolverListener, ResolverResult } from "./index.ts";
import { type ClientTraits, chooseServiceConfig } from "./service-config-choice.ts";
import { reportAddresses } from "./static.ts";

export interface DnsResolverOptions {
  /**
   * Least time from one successful resolution to the next, however often the channel requests one. Default 30,000 ms as in grpc-go
   * and grpc-js: a channel requests one for each lost connection, and a name server must not be queried for every restart.
   */
  readonly minTimeBetweenResolutionsMs?: number;
  /**
   * Resolve again this long after each success even if nothing is wrong, for names whose addresses grow in number while the old
   * ones keep running. At least `minTimeBetweenResolutionsMs`. Default: not, as in grpc-go and grpc-js.
   */
  readonly resolutionPeriodMs?: number;
  /**
   * Also look up the service config in the TXT records of `_grpc_config.<host>` (gRFC A2). Default false, as in grpc-go: it
   * costs a query that most name servers cannot answer, and the answer decides on retries and time-outs.
   */
  readonly serviceConfig?: boolean;
  /** Default: the system's resolver, or the DNS server that the target names. */
  readonly lookup?: DnsLookup;
  /** Default: the system's name servers, or the one that the target names. */
  readonly lookupTxt?: DnsTxtLookup;
  /** For the percentages of service configs; from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

const optionNames: readonly (keyof DnsResolverOptions)[] = [
  "minTimeBetweenResolutionsMs",
  "resolutionPeriodMs",
  "serviceConfig",
  "lookup",
  "lookupTxt",
  "random",
];

interface DnsSettings {
  readonly lookup: DnsLookup;
  /** Undefined without the option `serviceConfig`. */
  readonly lookupTxt: DnsTxtLookup | undefined;
  readonly minTimeBetweenMs: number;
  readonly periodMs: number | undefined;
  readonly client: ClientTraits;
}

/**
 * Makes the resolver for `dns:` targets: every address of the host is an endpoint, all with the target's port. Give it to a
 * channel as one of its `resolvers` to change what the built-in one does.
 *
 * @throws TypeError for an unknown option, RangeError for a number out of its bounds
 */
export function createDnsResolver(options: DnsResolverOptions = {}): ResolverFactory {
  const where = "createDnsResolver";
  refuseUnknownOptions(where, options, optionNames);
  const minTimeBetweenMs = options.minTimeBetweenResolutionsMs ?? 30_000;
  const periodMs = options.resolutionPeriodMs;
  checkWholeNumber(where, "minTimeBetweenResolutionsMs", minTimeBetweenMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "resolutionPeriodMs", periodMs, Math.max(1, minTimeBetweenMs), Number.MAX_SAFE_INTEGER);
  const random = options.random ?? Math.random;
  return {
    scheme: "dns",
    create(target, listener, environment) {
      const [address] = target.addresses;
      if (address === undefined || !("host" in address)) throw new TypeError("a dns target names one host");
      const { host, port } = address;
      // No name system knows more about an IP address.
      if (isIpv4(host) || isIpv6(host)) return reportAddresses(target, listener);
      // Drawn once, so that a channel does not change its mind with each resolution.
      const client = { language: "node", hostname: hostname(), percentile: Math.floor(random() * 100) };
      const settings: DnsSettings = {
        lookup: options.lookup ?? nodeDnsLookup,
        lookupTxt: options.serviceConfig === true ? (options.lookupTxt ?? nodeDnsTxtLookup) : undefined,
        minTimeBetweenMs,
        periodMs,
        client,
      };
      return new DnsResolution(target, host, port, settings, listener, environment);
    },
  };
}

type ServiceConfigFields = Pick<ResolverResult, "serviceConfigJson" | "serviceConfigError">;

const noServiceConfig: ServiceConfigFields = {};

/**
 * ```text
 *            accepted                    resolveNow or the period's end, once the pause is over
 * looking up ────────► fresh for a while ──────────────────────────────────► looking up
 *            failed or refused
 *            ────────► backing off ─────── pause is over ──────────────────► looking up
 * ```
 */
class DnsResolution implements Resolver {
  readonly #target: ParsedTarget;
  readonly #host: string;
  readonly #port: number;
  readonly #settings: DnsSettings;
  readonly #listener: ResolverListener;
  readonly #environment: ResolverEnvironment;
  readonly #closing = new AbortController();
  #isLookingUp = false;
  /** Calls off the next lookup, if one is planned. */
  #cancelTimer: (() => void) | undefined;
  #cancelPeriod: (() => void) | undefined;
  #failuresInRow = 0;
  #freshUntilMs = 0;

  constructor(
    target: ParsedTarget,
    host: string,
    port: number,
    settings: DnsSettings,
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
    this.#cancelPeriod?.();
    this.#cancelPeriod = undefined;
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
    this.#cancelPeriod?.();
    this.#cancelPeriod = undefined;
    const server = this.#target.resolverAuthority === "" ? undefined : this.#target.resolverAuthority;
    const { lookup, lookupTxt } = this.#settings;
    const serviceConfig = lookupTxt === undefined ? noServiceConfig : this.#lookUpServiceConfig(lookupTxt, server);
    Promise.all([lookup(this.#host, server, this.#closing.signal), serviceConfig]).then(
      ([found, config]) => this.#onFound(found, config),
      (error) => this.#onFailed(error),
    );
  }

  /** Never rejects: addresses are useful without a service config too. */
  async #lookUpServiceConfig(lookupTxt: DnsTxtLookup, server: string | undefined): Promise<ServiceConfigFields> {
    const name = `_grpc_config.${this.#host}`;
    try {
      const records = await lookupTxt(name, server, this.#closing.signal);
      const json = chooseServiceConfig(records, this.#settings.client);
      return json === undefined ? noServiceConfig : { serviceConfigJson: json };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `no service config of "${name}": ${reason}`;
      return { serviceConfigError: new ConnectError(message, Code.Unavailable, undefined, undefined, error) };
    }
  }

  #onFound(found: readonly string[], serviceConfig: ServiceConfigFields): void {
    if (this.#closing.signal.aborted) return;
    this.#isLookingUp = false;
    const hosts = [...new Set(found)];
    const isAccepted = this.#listener.onResult({
      endpoints: hosts.map((host) => ({ addresses: [{ host, port: this.#port }] })),
      ...serviceConfig,
    });
    // The listener may have closed this resolver.
    if (this.#closing.signal.aborted) return;
    if (!isAccepted) {
      this.#backOff();
      return;
    }
    this.#failuresInRow = 0;
    const { clock } = this.#environment;
    const { minTimeBetweenMs, periodMs } = this.#settings;
    this.#freshUntilMs = clock.nowMs() + minTimeBetweenMs;
    if (periodMs !== undefined) this.#cancelPeriod = clock.after(periodMs, () => this.resolveNow());
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
