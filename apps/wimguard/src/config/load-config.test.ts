import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ConfigError } from "@tercel/service/config";
import { loadConfig } from "./load-config.ts";

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

describe("loadConfig", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-config-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const load = (text: string) => {
    const path = join(folder, "config.yaml");
    writeFileSync(path, text);
    return loadConfig(path);
  };
  const problemsOf = (text: string): Promise<string[]> =>
    load(text).then(
      () => [],
      (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        return error.message.split("\n");
      },
    );

  it("loads the printed config, and fills in what it leaves out", async () => {
    const config = await load(printed);
    assert.equal(config.appID, "550e8400-e29b-41d4-a716-446655440000");
    assert.deepEqual(config.service, {
      server: { port: 52_730, enabled: true, database: "wimbackup.db", host: "127.0.0.1", jobs: 2, reflection: false },
      client: { serverAddress: "localhost:52730", timeout: 30_000 },
    });
  });

  for (const [what, from, to, problem] of [
    [
      "an unknown key and names the nearest",
      "    port:",
      "    prot:",
      /^config\.yaml:6:5: unknown key service\.server\.prot; did you mean port\?$/,
    ],
    ["a missing key", "appID: 550e8400-e29b-41d4-a716-446655440000\n", "", /^config\.yaml:1:1: appID is missing/],
    [
      "a port out of bounds",
      "52730\n    enabled",
      "65536\n    enabled",
      /^config\.yaml:6:11: service\.server\.port is 65536; expected a number from 0 to 65535/,
    ],
    [
      "a duration without a unit",
      "30s",
      "30",
      /^config\.yaml:11:14: service\.client\.timeout is 30; add a unit: "30s"/,
    ],
    [
      "a catalogue in another folder",
      "wimbackup.db",
      "../x.db",
      /^config\.yaml:8:15: service\.server\.database is .+; expected a file name without a folder/,
    ],
  ] as const) {
    it(`refuses ${what}, with its place`, async () => {
      assert.ok(printed.includes(from));
      const [found = "", ...more] = await problemsOf(printed.replace(from, to));
      assert.match(found, problem);
      assert.deepEqual(more, []);
    });
  }

  it("never shows the secret", async () => {
    const problems = await problemsOf(printed.replace("secret-key-here", "[secret-key-here]"));
    assert.equal(problems.length, 1);
    assert.ok(!problems[0]?.includes("secret-key-here"), problems[0]);
  });

  it("says how to make one where there is none", async () => {
    await assert.rejects(
      loadConfig(join(folder, "none.yaml")),
      /no config at .+none\.yaml: run "wimguard server" once, or pass --dir/,
    );
  });
});
