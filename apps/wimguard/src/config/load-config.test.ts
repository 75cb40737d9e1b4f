import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "./config-error.ts";
import { parseConfig } from "./load-config.ts";
import { parseDurationMs } from "./parse-duration.ts";

const printed = `environment: production
appID: 550e8400-e29b-41d4-a716-446655440000
appSecret: secret-key-here
service:
  server:
    port: 52730
    enabled: true
    database: wimbackup.db
  client:
    serverAddress: localhost:52730
    timeout: 30s
`;

function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, "config.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("parseConfig", () => {
  it("loads the printed config, and fills in what it leaves out", () => {
    const config = parseConfig(printed, "config.yaml");
    assert.equal(config.appID, "550e8400-e29b-41d4-a716-446655440000");
    assert.deepEqual(config.service, {
      server: { port: 52_730, enabled: true, database: "wimbackup.db", host: "127.0.0.1", jobs: 2, reflection: false },
      client: { serverAddress: "localhost:52730", timeout: "30s" },
    });
  });

  for (const [what, from, to, problem] of [
    [
      "an unknown key and names the nearest",
      "    port:",
      "    prot:",
      'config.yaml:6:5: unknown key "prot" in service.server; did you mean "port"?',
    ],
    [
      "an unknown key at the top",
      "environment:",
      "enviroment:",
      'config.yaml:1:1: unknown key "enviroment"; did you mean "environment"?',
    ],
    ["a missing key", "appID: 550e8400-e29b-41d4-a716-446655440000\n", "", 'config.yaml:1:1: missing key "appID"'],
    [
      "a port out of bounds",
      "52730\n    enabled",
      "65536\n    enabled",
      "config.yaml:6:11: invalid service.server.port: must be from 0 to 65535",
    ],
    [
      "a duration that is none",
      "30s",
      "30",
      "config.yaml:11:14: invalid service.client.timeout: expected string, not 30",
    ],
    [
      "a duration without a unit",
      "30s",
      '"30"',
      'config.yaml:11:14: invalid service.client.timeout: must be a duration such as "30s" or "1m30s"',
    ],
    [
      "a catalogue in another folder",
      "wimbackup.db",
      "../x.db",
      "config.yaml:8:15: invalid service.server.database: must be a file name without a folder",
    ],
    ["a key that is there twice", "enabled: true", "port: 1", "config.yaml:7:5: Map keys must be unique"],
    [
      "another type",
      "  client:",
      "  clients: []\n  client:",
      'config.yaml:9:3: unknown key "clients" in service; did you mean "client"?',
    ],
  ] as const) {
    it(`refuses ${what}, with its place`, () => {
      assert.ok(printed.includes(from));
      const [found = "", ...more] = problemsOf(printed.replace(from, to));
      assert.ok(found.startsWith(problem), found);
      assert.deepEqual(more, []);
    });
  }

  it("reports every problem at once", () => {
    assert.equal(problemsOf(printed.replace("port:", "prot:").replace("30s", "soon")).length, 2);
  });

  it("refuses aliases that would multiply", () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (const name of ["b", "c", "d"]) {
      const before = String.fromCharCode(name.charCodeAt(0) - 1);
      bomb.push(`${name}: &${name} [${`*${before}, `.repeat(9)}]`);
    }
    assert.throws(() => parseConfig(bomb.join("\n"), "config.yaml"));
  });
});

describe("parseDurationMs", () => {
  for (const [text, ms] of [
    ["30s", 30_000],
    ["250ms", 250],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["0s", 0],
    ["", undefined],
    ["30", undefined],
    ["-1s", undefined],
    ["1d", undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${ms}`, () => assert.equal(parseDurationMs(text), ms));
  }
});
