import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import type { BalancerFactory } from "../balancer/index.ts";
import { codeSetOf } from "../retry/code-set.ts";
import { parseServiceConfig } from "./parse-service-config.ts";
import { emptyServiceConfig } from "./service-config.ts";
import { ServiceConfigChoice } from "./service-config-choice.ts";

function policy(policyName: string, parseConfig?: BalancerFactory["parseConfig"]): BalancerFactory {
  const create = () => assert.fail("no balancer is to be made");
  return parseConfig === undefined ? { policyName, create } : { policyName, create, parseConfig };
}

const balancers = [policy("pick_first"), policy("round_robin", (json) => ({ read: json }))];
const parse = (config: string | object, refuseUnknown = true) =>
  parseServiceConfig(config, { balancers, refuseUnknown });

const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: "0.1s",
  maxBackoff: "1s",
  backoffMultiplier: 1.5,
  retryableStatusCodes: ["UNAVAILABLE"],
};

/** A config with one method config for everything. */
const withMethod = (config: object) => ({ methodConfig: [{ name: [{}], ...config }] });

test("reads what a method may be given", () => {
  const config = parse(
    JSON.stringify(
      withMethod({
        timeout: "1.000340012s",
        waitForReady: true,
        maxRequestMessageBytes: 0,
        maxResponseMessageBytes: "1024",
        retryPolicy: { ...retryPolicy, retryableStatusCodes: ["unavailable", 10, "CANCELLED"] },
      }),
    ),
  );
  assert.deepEqual(config.methods.of("a.S", "M"), {
    timeoutMs: 1000.340012,
    waitForReady: true,
    maxRequestMessageBytes: 0,
    maxResponseMessageBytes: 1024,
    retryPolicy: {
      maxAttempts: 3,
      initialBackoffMs: 100,
      maxBackoffMs: 1000,
      backoffMultiplier: 1.5,
      retryableCodes: codeSetOf([Code.Unavailable, Code.Aborted, Code.Canceled]),
    },
  });
});

test("prefers the config of a method to that of its service, and that to the default", () => {
  const { methods } = parse({
    methodConfig: [
      { name: [{}], timeout: "1s" },
      { name: [{ service: "a.S" }, { service: "a.T", method: "M" }], timeout: "2s" },
      { name: [{ service: "a.S", method: "M" }], timeout: "3s" },
      { name: [], timeout: "4s" },
    ],
  });
  const timeoutMs = (service: string, method: string) => methods.of(service, method).timeoutMs;
  assert.equal(timeoutMs("a.S", "M"), 3000);
  assert.equal(timeoutMs("a.S", "N"), 2000);
  assert.equal(timeoutMs("a.T", "M"), 2000);
  assert.equal(timeoutMs("a.T", "N"), 1000);
});

test("asks for nothing where nothing is said", () => {
  const { methods, ...rest } = parse({ methodConfig: null });
  assert.deepEqual(methods.of("a.S", "M"), {});
  assert.deepEqual(rest, {
    balancer: undefined,
    retryThrottling: undefined,
    healthCheckServiceName: undefined,
    maxConnectionsPerSubchannel: undefined,
  });
});

test("takes the first policy that is known, with its config as that policy reads it", () => {
  const { balancer } = parse({ loadBalancingConfig: [{ xds: {} }, { round_robin: { a: 1 } }, { pick_first: 7 }] });
  assert.equal(balancer?.factory, balancers[1]);
  assert.deepEqual(balancer?.config, { read: { a: 1 } });
  assert.equal(parse({ loadBalancingPolicy: "ROUND_ROBIN" }).balancer?.factory, balancers[1]);
  const both = { loadBalancingPolicy: "round_robin", loadBalancingConfig: [{ pick_first: {} }] };
  assert.equal(parse(both).balancer?.factory, balancers[0]);
});

test("reads throttling and health checking", () => {
  assert.deepEqual(parse({ retryThrottling: { maxTokens: 1000, tokenRatio: 0.001 } }).retryThrottling, {
    maxTokens: 1000,
    tokenRatio: 0.001,
  });
  assert.equal(parse({ healthCheckConfig: { serviceName: "" } }).healthCheckServiceName, "");
  assert.equal(parse({ healthCheckConfig: {} }).healthCheckServiceName, undefined);
});

test("cuts attempts down to five, and takes two for the least", () => {
  const attempts = (maxAttempts: number) =>
    parse(withMethod({ hedgingPolicy: { maxAttempts } })).methods.of("", "").hedgingPolicy?.maxAttempts;
  assert.equal(attempts(2), 2);
  assert.equal(attempts(5), 5);
  assert.equal(attempts(6), 5);
  assert.throws(() => attempts(1), /maxAttempts is 1; it has to be a whole number from 2/);
});

const wrong: [string, string | object, RegExp][] = [
  ["text that is not JSON", "{", /^serviceConfig is not JSON: /],
  ["a list", [], /^serviceConfig is \[\]; it has to be an object/],
  ["a misspelt field", { methodConfigs: [] }, /unknown field "methodConfigs"; did you mean "methodConfig"\?/],
  [
    "a misspelt field further in",
    withMethod({ retryPolicy: { ...retryPolicy, maxAttempt: 3 } }),
    /^serviceConfig\.methodConfig\[0\]\.retryPolicy has an unknown field "maxAttempt"; did you mean "maxAttempts"\?/,
  ],
  [
    "two configs for one name",
    { methodConfig: [{ name: [{}] }, { name: [{}] }] },
    /methodConfig\[1\]\.name\[0\] is the second/,
  ],
  ["a method without its service", { methodConfig: [{ name: [{ method: "M" }] }] }, /has a method but no service/],
  ["both policies", withMethod({ retryPolicy, hedgingPolicy: { maxAttempts: 2 } }), /one of them/],
  ["a policy without attempts", withMethod({ hedgingPolicy: {} }), /hedgingPolicy needs maxAttempts/],
  ["a pause of 0", withMethod({ retryPolicy: { ...retryPolicy, maxBackoff: "0s" } }), /maxBackoff is 0/],
  ["no multiplier", withMethod({ retryPolicy: { ...retryPolicy, backoffMultiplier: 0 } }), /backoffMultiplier is 0/],
  [
    "no codes",
    withMethod({ retryPolicy: { ...retryPolicy, retryableStatusCodes: [] } }),
    /retryableStatusCodes is empty/,
  ],
  [
    "code 17",
    withMethod({ hedgingPolicy: { maxAttempts: 2, nonFatalStatusCodes: [17] } }),
    /nonFatalStatusCodes\[0\] is 17/,
  ],
  ["a name that is no code", withMethod({ hedgingPolicy: { maxAttempts: 2, nonFatalStatusCodes: ["X"] } }), /is "X"/],
  ["a duration without its s", withMethod({ timeout: "1" }), /timeout is "1"; it has to be a duration such as "1\.5s"/],
  ["a number for a duration", withMethod({ timeout: 1 }), /timeout is 1; it has to be a duration/],
  ["a negative duration", withMethod({ timeout: "-1s" }), /not negative/],
  ["ten decimals", withMethod({ timeout: "1.0000000001s" }), /it has to be a duration/],
  ["a duration of more than ten thousand years", withMethod({ timeout: "315576000001s" }), /at most 315576000000s/],
  ["a size below 0", withMethod({ maxRequestMessageBytes: -1 }), /from 0 to 4294967295/],
  [
    "unknown policies only",
    { loadBalancingConfig: [{ robin: {} }] },
    /unknown policies: robin\. Known policies: pick_first, round_robin/,
  ],
  ["a policy that is nearly known", { loadBalancingPolicy: "round_robbin" }, /Did you mean "round_robin"\?/],
  ["two policies in one", { loadBalancingConfig: [{ pick_first: {}, round_robin: {} }] }, /an object with one field/],
  [
    "no tokens",
    { retryThrottling: { maxTokens: 0, tokenRatio: 1 } },
    /maxTokens is 0; it has to be a whole number from 1 to 1000/,
  ],
  ["too many tokens", { retryThrottling: { maxTokens: 1001, tokenRatio: 1 } }, /maxTokens is 1001/],
  [
    "a ratio that counts for nothing",
    { retryThrottling: { maxTokens: 1, tokenRatio: 0.0009 } },
    /tokenRatio is 0\.0009/,
  ],
  ["half a throttling", { retryThrottling: { maxTokens: 1 } }, /needs maxTokens and tokenRatio/],
];
for (const [name, config, message] of wrong) {
  test(`refuses ${name}, and says where it stands`, () => {
    assert.throws(
      () => parse(config),
      (error) => error instanceof TypeError && message.test(error.message),
    );
  });
}

test("names the policy whose config is wrong", () => {
  const picky = policy("picky", () => {
    throw new TypeError("size is 0");
  });
  assert.throws(
    () => parseServiceConfig({ loadBalancingConfig: [{ picky: {} }] }, { balancers: [picky], refuseUnknown: true }),
    /serviceConfig\.loadBalancingConfig\[0\]\.picky: size is 0/,
  );
});

test("leaves fields that no one knows alone in what a resolver brings, and nothing else", () => {
  assert.equal(parse({ someday: 1 }, false).retryThrottling, undefined);
  assert.throws(() => parse({ someday: 1, methodConfig: 1 }, false), TypeError);
});

test("keeps the last valid config, and the same object for the same text", () => {
  const choice = new ServiceConfigChoice(emptyServiceConfig, balancers);
  assert.equal(choice.current, undefined);
  assert.match(choice.choose("{")?.message ?? "", /is not JSON/);
  assert.equal(choice.current, undefined);
  assert.equal(choice.choose("{}"), undefined);
  const first = choice.current;
  assert.equal(choice.choose("{}"), undefined);
  assert.equal(choice.current, first);
  assert.ok(choice.choose('{"methodConfig":1}') instanceof TypeError);
  assert.equal(choice.current, first);
  assert.equal(choice.choose(undefined), undefined);
  assert.equal(choice.current, emptyServiceConfig);
});

test("falls back on what was valid, or else on what the application gave", () => {
  const given = new ServiceConfigChoice({ ...emptyServiceConfig, healthCheckServiceName: "" }, balancers);
  given.choose("{");
  assert.equal(given.fallBack(), "default config");
  assert.equal(given.current, given.byDefault);
  given.choose("{}");
  assert.equal(given.fallBack(), "earlier config");
  const none = new ServiceConfigChoice(undefined, balancers);
  none.choose("{");
  assert.equal(none.fallBack(), undefined);
  assert.equal(none.current, undefined);
  none.choose(undefined);
  assert.equal(none.fallBack(), "default config");
});
