import { statusNames } from "../../protocol/status.ts";
import { type CodeSet, codeSetOf, noCodes } from "../retry/code-set.ts";
import { type HedgingPolicy, maxAttemptsCeiling, type RetryPolicy } from "../retry/retry-policy.ts";
import type { ConfigValue } from "./config-value.ts";
import { type MethodConfig, MethodConfigs } from "./service-config.ts";

const maxUint32 = 0xffff_ffff;

/** Reads `methodConfig` of a service config. A config without a name holds for nothing. */
export function parseMethodConfigs(value: ConfigValue | undefined, maxMessageBytes: number): MethodConfigs {
  const byName = new Map<string, MethodConfig>();
  for (const item of value?.items() ?? []) {
    const fields = item.fields([
      "name",
      "timeout",
      "waitForReady",
      "maxRequestMessageBytes",
      "maxResponseMessageBytes",
      "retryPolicy",
      "hedgingPolicy",
    ]);
    const retry = fields.get("retryPolicy");
    const hedging = fields.get("hedgingPolicy");
    if (retry !== undefined && hedging !== undefined) {
      throw item.refusal("has a retryPolicy and a hedgingPolicy; a method can have one of them");
    }
    const bytes = (name: string): number | undefined => {
      const given = fields.get(name)?.wholeNumber(0, maxUint32);
      return given === undefined ? undefined : Math.min(given, maxMessageBytes);
    };
    const config = withoutUndefined({
      timeoutMs: fields.get("timeout")?.durationMs(),
      waitForReady: fields.get("waitForReady")?.bool(),
      maxRequestMessageBytes: bytes("maxRequestMessageBytes"),
      maxResponseMessageBytes: bytes("maxResponseMessageBytes"),
      retryPolicy: retry === undefined ? undefined : parseRetryPolicy(retry),
      hedgingPolicy: hedging === undefined ? undefined : parseHedgingPolicy(hedging),
    });
    for (const name of fields.get("name")?.items() ?? []) addName(byName, name, config);
  }
  return new MethodConfigs(byName);
}

function addName(byName: Map<string, MethodConfig>, name: ConfigValue, config: MethodConfig): void {
  const fields = name.fields(["service", "method"]);
  const service = fields.get("service")?.text() ?? "";
  const method = fields.get("method")?.text() ?? "";
  if (service === "" && method !== "") throw name.refusal("has a method but no service");
  const key = `${service}/${method}`;
  if (byName.has(key)) throw name.refusal(`is the second of this name: ${key === "/" ? "the default" : key}`);
  byName.set(key, config);
}

function parseRetryPolicy(value: ConfigValue): RetryPolicy {
  const fields = value.fields([
    "maxAttempts",
    "initialBackoff",
    "maxBackoff",
    "backoffMultiplier",
    "retryableStatusCodes",
  ]);
  const need = (name: string): ConfigValue => {
    const given = fields.get(name);
    if (given === undefined) throw value.refusal(`needs ${name}`);
    return given;
  };
  const multiplier = need("backoffMultiplier");
  const backoffMultiplier = multiplier.number();
  if (!(backoffMultiplier > 0)) throw multiplier.refusal(`is ${backoffMultiplier}; it has to be greater than 0`);
  const codes = need("retryableStatusCodes");
  const retryableCodes = parseCodes(codes);
  if (retryableCodes === noCodes) throw codes.refusal("is empty; it has to name a status code");
  return {
    maxAttempts: parseMaxAttempts(need("maxAttempts")),
    initialBackoffMs: parseBackoff(need("initialBackoff")),
    maxBackoffMs: parseBackoff(need("maxBackoff")),
    backoffMultiplier,
    retryableCodes,
  };
}

function parseHedgingPolicy(value: ConfigValue): HedgingPolicy {
  const fields = value.fields(["maxAttempts", "hedgingDelay", "nonFatalStatusCodes"]);
  const maxAttempts = fields.get("maxAttempts");
  if (maxAttempts === undefined) throw value.refusal("needs maxAttempts");
  const codes = fields.get("nonFatalStatusCodes");
  return {
    maxAttempts: parseMaxAttempts(maxAttempts),
    hedgingDelayMs: fields.get("hedgingDelay")?.durationMs() ?? 0,
    nonFatalCodes: codes === undefined ? noCodes : parseCodes(codes),
  };
}

function parseMaxAttempts(value: ConfigValue): number {
  return Math.min(value.wholeNumber(2, maxUint32), maxAttemptsCeiling);
}

function parseBackoff(value: ConfigValue): number {
  const ms = value.durationMs();
  if (ms === 0) throw value.refusal("is 0; it has to be greater");
  return ms;
}

function parseCodes(value: ConfigValue): CodeSet {
  return codeSetOf(
    value.items().map((item) => {
      const { json } = item;
      const code = typeof json === "string" ? statusNames.indexOf(json.toUpperCase()) : json;
      if (typeof code === "number" && statusNames[code] !== undefined) return code;
      throw item.refusal(`is ${JSON.stringify(json)}; it has to be a status code, such as "UNAVAILABLE" or 14`);
    }),
  );
}

function withoutUndefined<T extends object>(given: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
