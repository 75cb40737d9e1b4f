import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings, settingsToArgs, waysToSet } from "./read-settings.ts";
import { isLoopback, joinHostPort, type Settings } from "./settings.ts";

function read(args: string[], environment: Record<string, string> = {}): Settings {
  const request = readSettings(args, environment, "/srv");
  assert.equal(request.kind, "run", JSON.stringify(request));
  return request.settings;
}

function problemOf(args: string[], environment: Record<string, string> = {}): string {
  const request = readSettings(args, environment, "/srv");
  assert.equal(request.kind, "refused", JSON.stringify(request));
  return request.problem;
}

test("without flags and variables the services stay on this machine at 50051 and 50052", () => {
  assert.deepEqual(read([]), {
    host: "127.0.0.1",
    userPort: 50051,
    orderPort: 50052,
    dataDir: "/srv/data/shop",
    orderAddress: "127.0.0.1:50052",
    orderInstances: 2,
    orderDependency: "required",
    registry: "",
    environment: "development",
    reflection: true,
    secretFile: "/srv/data/shop/secret.key",
    jwksUrl: "",
    tokenIssuer: "",
    tokenAudience: "user-service",
    orderTokenAudience: "order-service",
    callerKeysFile: "",
    serviceKeyFile: "",
    cleartextKeys: "no",
    redisUrl: "",
    rateLimit: 100,
    addressRateLimit: 3000,
    maxLoopDelayMs: 200,
    metricsHost: "127.0.0.1",
    metricsPort: 9464,
    orderMetricsPort: 9465,
    otlpUrl: "",
    traceSampleRate: 1,
    maxMessageBytes: 4_194_304,
    idleTimeoutMs: 900_000,
    maxConnectionAgeMs: 0,
    maxConnectionAgeGraceMs: 0,
    keepaliveTimeMs: 7_200_000,
    keepaliveTimeoutMs: 20_000,
    keepaliveMinTimeMs: 300_000,
    keepaliveWithoutCalls: "no",
  });
});

test("a flag wins over the environment, and the environment over the default", () => {
  const settings = read(["--user-port", "1", "--host=::1"], { SHOP_USER_PORT: "2", SHOP_ORDER_PORT: "3" });
  assert.equal(settings.userPort, 1);
  assert.equal(settings.orderPort, 3);
  assert.equal(settings.orderAddress, "[::1]:3");
});

test("an empty variable counts as unset", () => {
  assert.equal(read([], { SHOP_HOST: "" }).host, "127.0.0.1");
});

test("ports from 0 to 65535 are taken", () => {
  assert.equal(read(["--user-port=0"]).userPort, 0);
  assert.equal(read(["--user-port=65535"]).userPort, 65_535);
});

test("with a registry, order-service is found by its name unless an address is given", () => {
  assert.equal(read(["--registry=127.0.0.1:7000"]).orderAddress, "discovery:///order-service");
  assert.equal(read(["--registry=127.0.0.1:7000", "--order-address=a:1"]).orderAddress, "a:1");
});

test("from 1 to 9 processes of order-service may run", () => {
  assert.equal(read(["--order-instances=1"]).orderInstances, 1);
  assert.equal(read(["--order-instances=9"]).orderInstances, 9);
  for (const wrong of ["0", "10", "two"]) {
    assert.match(problemOf([`--order-instances=${wrong}`]), /--order-instances must be a number from 1 to 9/);
  }
});

test("an absolute data folder is kept and a relative one starts at the working directory", () => {
  assert.equal(read(["--data-dir=/var/shop"]).dataDir, "/var/shop");
  assert.equal(read(["--data-dir=shop"]).dataDir, "/srv/shop");
});

test("production has no reflection and takes tokens of an issuer only", () => {
  const production = [
    "--environment=production",
    "--jwks-url=https://login.example/keys",
    "--token-issuer=login.example",
  ];
  assert.equal(read(production).reflection, false);
  assert.equal(read([...production, "--reflection=on"]).reflection, true);
  assert.equal(read(["--reflection=off"]).reflection, false);
  assert.match(problemOf(["--environment=production"]), /give --jwks-url or SHOP_JWKS_URL and --token-issuer/);
  assert.match(problemOf(production.slice(0, 2)), /go together/);
  assert.match(problemOf(["--token-issuer=login.example"]), /go together/);
});

test("the secret is in the data folder unless a file is named", () => {
  assert.equal(read(["--data-dir=shop"]).secretFile, "/srv/shop/secret.key");
  assert.equal(read(["--secret-file=keys/a"]).secretFile, "/srv/keys/a");
});

test("files with keys of services are looked for from the working directory on", () => {
  const { callerKeysFile, serviceKeyFile } = read(["--caller-keys-file=keys/b", "--service-key-file=/etc/c"]);
  assert.deepEqual([callerKeysFile, serviceKeyFile], ["/srv/keys/b", "/etc/c"]);
});

for (const [flag, fine, wrong] of [
  ["rate-limit", ["0", "1000000000"], ["-1", "1000000001", "1.5"]],
  ["address-rate-limit", ["0", "1000000000"], ["-1", "1000000001", "1.5"]],
  ["order-metrics-port", ["0", "65535"], ["-1", "65536"]],
  ["cleartext-keys", ["yes", "no"], ["true"]],
  ["trace-sample-rate", ["0", "0.25", "1", "1.0"], ["1.1", "-0.1", ".5", "all"]],
  ["max-connection-age-ms", ["0", "1000", "86400000"], ["999", "86400001"]],
  ["keepalive-time-ms", ["1000"], ["999", "0"]],
  ["otlp-url", ["http://127.0.0.1:4318/v1/traces", "https://c"], ["127.0.0.1:4318", "ftp://c", "http://"]],
  ["redis-url", ["redis://127.0.0.1:6379", "rediss://r/1"], ["127.0.0.1:6379", "http://r"]],
  ["environment", ["development"], ["test"]],
  ["order-dependency", ["required", "optional"], ["no"]],
  ["keepalive-without-calls", ["yes", "no"], ["true"]],
  ["reflection", ["on", "off"], ["yes"]],
] as const) {
  test(`--${flag} takes ${fine.join(", ")} and not ${wrong.join(", ")}`, () => {
    for (const value of fine) read([`--${flag}=${value}`]);
    for (const value of wrong) assert.match(problemOf([`--${flag}=${value}`]), new RegExp(`^--${flag} must be `));
  });
}

test("only addresses of this machine are loopback", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) assert.equal(isLoopback(host), true, host);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.example.org", "1270.0.0.1"])
    assert.equal(isLoopback(host), false, host);
});

test("a misspelt variable is refused naming the nearest, and those of others are not ours", () => {
  assert.match(
    problemOf([], { SHOP_USER_PROT: "1" }),
    /unknown variable "SHOP_USER_PROT"; did you mean SHOP_USER_PORT\?/,
  );
  assert.equal(read([], { WORKSHOP_PORT: "1" }).userPort, 50051);
});

test("settings survive the way to another program", () => {
  const settings = read([
    "--host=::1",
    "--user-port=0",
    "--data-dir=/a b",
    "--order-address=dns:///orders:1",
    "--reflection=off",
  ]);
  assert.deepEqual(read(settingsToArgs(settings)), settings);
});

test("an IPv6 address is bracketed and others are not", () => {
  assert.equal(joinHostPort("::1", 80), "[::1]:80");
  assert.equal(joinHostPort("localhost", 80), "localhost:80");
});

test("the way to change a setting names its flag and its variable", () => {
  assert.equal(waysToSet("userPort"), "--user-port or SHOP_USER_PORT");
});

test("help lists every flag with its variable", () => {
  const request = readSettings(["--help"], {}, "/srv");
  assert.equal(request.kind, "help");
  for (const name of ["--host", "--user-port", "--order-port", "--data-dir", "--order-address", "SHOP_DATA_DIR"]) {
    assert.ok(request.text.includes(name), name);
  }
});

const refusals = [
  {
    promise: "a misspelt flag is refused naming the nearest",
    args: ["--user-prot=1"],
    says: /did you mean --user-port/,
  },
  { promise: "a flag unlike all others is refused with the way to help", args: ["--verbose"], says: /see --help/ },
  { promise: "a flag's name must be whole", args: ["--user"], says: /unknown flag "--user"; did you mean --user-port/ },
  { promise: "a bare word is refused", args: ["7000"], says: /unexpected argument "7000"/ },
  { promise: "a flag without its value is refused", args: ["--host"], says: /--host needs a value/ },
  { promise: "a flag followed by a flag has no value", args: ["--host", "--user-port"], says: /--host needs a value/ },
  { promise: "an empty value is refused", args: ["--host="], says: /--host needs a value/ },
  { promise: "a repeated flag is refused", args: ["--host=a", "--host=b"], says: /given twice/ },
  { promise: "port 65536 is refused", args: ["--user-port=65536"], says: /--user-port must be a port number/ },
  { promise: "a negative port is refused", args: ["--order-port=-1"], says: /--order-port must be a port number/ },
  { promise: "a port in words is refused", args: ["--user-port=http"], says: /not "http"/ },
];

for (const { promise, args, says } of refusals) {
  test(promise, () => assert.match(problemOf(args), says));
}

test("a wrong variable is refused by its own name", () => {
  assert.match(problemOf([], { SHOP_ORDER_PORT: "many" }), /^SHOP_ORDER_PORT must be a port number/);
});

test("a very long argument is shortened in the refusal", () => {
  assert.ok(problemOf([`--${"x".repeat(10_000)}`]).length < 120);
});
