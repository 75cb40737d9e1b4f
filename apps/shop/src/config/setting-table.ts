import { anyText, oneOf, type SettingValue, share, urlOrNone, wholeNumber } from "./setting-values.ts";
import type { Settings } from "./settings.ts";

/** One setting: how it is written, what it is if no one says so, and how its text is read. */
export interface SettingEntry<Value> {
  readonly flag: string;
  readonly variable: string;
  readonly fallback: string;
  readonly meaning: string;
  readonly value: SettingValue<Value>;
}

/** What stands in a setting before those that depend on others are filled in: these are empty then. */
export type RawSettings = Omit<Settings, "reflection"> & { readonly reflection: "" | "on" | "off" };

const port = wholeNumber(0, 65_535, "a port number from 0 to 65535");
/** A day; connections that are older are no matter of seconds. */
const maxMs = 86_400_000;
const zeroOrFromASecond: SettingValue<number> = {
  what: `0 or a whole number from 1000 to ${maxMs}`,
  parse: (text) => (text === "0" ? 0 : wholeNumber(1_000, maxMs).parse(text)),
};

export const settingTable: { readonly [Name in keyof RawSettings]: SettingEntry<RawSettings[Name]> } = {
  host: entry("host", "127.0.0.1", "interface to listen on", anyText),
  userPort: entry("user-port", "50051", "port of user-service, 0 picks a free one", port),
  orderPort: entry("order-port", "50052", "port of order-service, 0 picks a free one", port),
  dataDir: entry("data-dir", "data/shop", "folder of the databases", anyText),
  orderAddress: entry(
    "order-address",
    "",
    "where user-service finds order-service; by default what the registry tells",
    anyText,
  ),
  orderInstances: entry(
    "order-instances",
    "2",
    "how many processes of order-service run, 1 to 9",
    wholeNumber(1, 9, "a number from 1 to 9"),
  ),
  orderDependency: entry(
    "order-dependency",
    "required",
    "whether user-service is ready without order-service",
    oneOf(["required", "optional"]),
  ),
  registry: entry(
    "registry",
    "",
    "host:port of a registry that is there already; by default the shop hosts one",
    anyText,
  ),
  environment: entry(
    "environment",
    "development",
    "production takes tokens of an issuer only",
    oneOf(["development", "production"]),
  ),
  reflection: entry("reflection", "", "on or off; by default on in development", {
    what: "on or off",
    parse: (text) => (["", "on", "off"] as const).find((word) => word === text),
  }),
  secretFile: entry(
    "secret-file",
    "",
    "secret of user-service, made if missing; by default secret.key in the data folder",
    anyText,
  ),
  jwksUrl: entry("jwks-url", "", "where the issuer of tokens publishes its keys", urlOrNone("http")),
  tokenIssuer: entry("token-issuer", "", "who issues tokens, as they say themselves", anyText),
  tokenAudience: entry("token-audience", "user-service", "what tokens for user-service say in aud", anyText),
  orderTokenAudience: entry(
    "order-token-audience",
    "order-service",
    "what tokens for order-service say in aud",
    anyText,
  ),
  callerKeysFile: entry(
    "caller-keys-file",
    "",
    "names and keys of programs that may call order-service; in development made of the secret",
    anyText,
  ),
  serviceKeyFile: entry(
    "service-key-file",
    "",
    "the key by which order-service knows user-service; in development made of the secret",
    anyText,
  ),
  cleartextKeys: entry(
    "cleartext-keys",
    "no",
    "whether these keys may go to another machine without TLS",
    oneOf(["yes", "no"]),
  ),
  redisUrl: entry(
    "redis-url",
    "",
    "a Redis that instances of user-service share for cache and rate limit",
    urlOrNone("redis"),
  ),
  rateLimit: entry(
    "rate-limit",
    "100",
    "calls a minute of one client to user-service, 0 for any number",
    wholeNumber(0, 1_000_000_000),
  ),
  addressRateLimit: entry(
    "address-rate-limit",
    "3000",
    "calls a minute from one address, counted before it is known who calls, 0 for any number",
    wholeNumber(0, 1_000_000_000),
  ),
  maxLoopDelayMs: entry(
    "max-loop-delay-ms",
    "200",
    "user-service lets calls in turn by turn while its event loop is later, 0 for never",
    wholeNumber(0, 60_000),
  ),
  metricsHost: entry("metrics-host", "127.0.0.1", "interface of the metrics", anyText),
  metricsPort: entry("metrics-port", "9464", "port of user-service's metrics, 0 picks a free one", port),
  orderMetricsPort: entry("order-metrics-port", "9465", "port of order-service's metrics, 0 picks a free one", port),
  otlpUrl: entry(
    "otlp-url",
    "",
    "where traces are sent by OTLP, such as http://127.0.0.1:4318/v1/traces",
    urlOrNone("http"),
  ),
  traceSampleRate: entry("trace-sample-rate", "1", "share of traces that are recorded", share),
  maxMessageBytes: entry(
    "max-message-bytes",
    "4194304",
    "largest request, and largest answer",
    wholeNumber(1, 2 ** 30),
  ),
  idleTimeoutMs: entry(
    "idle-timeout-ms",
    "900000",
    "a connection without calls ends after this, 0 for never",
    wholeNumber(0, maxMs),
  ),
  maxConnectionAgeMs: entry(
    "max-connection-age-ms",
    "0",
    "a connection is drained at this age, 0 for never",
    zeroOrFromASecond,
  ),
  maxConnectionAgeGraceMs: entry(
    "max-connection-age-grace-ms",
    "0",
    "how long that drain may take, 0 for any time",
    zeroOrFromASecond,
  ),
  keepaliveTimeMs: entry(
    "keepalive-time-ms",
    "7200000",
    "a silent client is pinged after this",
    wholeNumber(1_000, maxMs),
  ),
  keepaliveTimeoutMs: entry("keepalive-timeout-ms", "20000", "and has to answer within this", wholeNumber(1, maxMs)),
  keepaliveMinTimeMs: entry("keepalive-min-time-ms", "300000", "how often clients may ping", wholeNumber(0, maxMs)),
  keepaliveWithoutCalls: entry(
    "keepalive-without-calls",
    "no",
    "whether they may without calls as well",
    oneOf(["yes", "no"]),
  ),
};

/** The variable is the flag in capitals behind SHOP_. */
function entry<Value>(
  flag: string,
  fallback: string,
  meaning: string,
  value: SettingValue<Value>,
): SettingEntry<Value> {
  return { flag, variable: `SHOP_${flag.toUpperCase().replaceAll("-", "_")}`, fallback, meaning, value };
}
