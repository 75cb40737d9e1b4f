import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { runCli } from "./run-cli.ts";

const base = `service:
  name: user-service
  port: 8080
database:
  providers:
    postgresql:
      url: \${DATABASE_URL}
      max_connections: 50
app:
  greeting: hello
`;

const env = { DATABASE_URL: "postgres://users:hunter2@db/users" };

function createService(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-config-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const production = "service:\n  port: 9090\n  insecure: true\n";
  for (const [file, text] of Object.entries({ "config.yaml": base, "config/production.yaml": production, ...files })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

describe("tercel config", () => {
  it("shows every value and where it comes from, and no secret", async (t) => {
    const cwd = createService(t);
    const { exitCode, stdout, stderr } = await runCli(["config", "show", "--set", "service.host=0.0.0.0"], {
      cwd,
      env,
    });
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^service\.port +8080 +config\.yaml:3:9$/m);
    assert.match(stdout, /^service\.host +0\.0\.0\.0 +--set service\.host/m);
    assert.match(stdout, /^database\.providers\.postgresql\.max_connections +50 +config\.yaml:8:24$/m);
    assert.match(stdout, /^app\.greeting +hello +config\.yaml:10:13$/m);
    assert.doesNotMatch(stdout, /hunter2/);
    const json = JSON.parse((await runCli(["config", "show", "-o", "json"], { cwd, env })).stdout);
    const port = json.values.find(({ key }: { key: string }) => key === "service.port");
    assert.deepEqual(port, { key: "service.port", value: 8080, origin: "config.yaml:3:9", isLive: false });
  });

  it("explains a key and all below it, and names the nearest", async (t) => {
    const cwd = createService(t);
    const { stdout } = await runCli(["config", "explain", "service.port"], { cwd, env });
    assert.equal(stdout, "service.port: 8080\n  from config.yaml:3:9\n  a change needs a restart\n");
    assert.match((await runCli(["config", "explain", "database"], { cwd, env })).stdout, /max_connections: 50\n/);
    const wrong = await runCli(["config", "explain", "service.prt"], { cwd, env });
    assert.deepEqual(
      [wrong.exitCode, wrong.stderr],
      [5, 'error: unknown configuration key "service.prt"; did you mean service.port?\n'],
    );
  });

  it("finds all problems at once, and exits with 4", async (t) => {
    const cwd = createService(t);
    const fine = await runCli(["config", "validate"], { cwd, env });
    assert.deepEqual([fine.exitCode, fine.stdout], [0, ""]);
    assert.match(fine.stderr, /^valid: \d+ values, 5 of them set, for development$/m);
    writeFileSync(join(cwd, "config.yaml"), base.replace("8080", "abc").replace("max_connections", "max_conections"));
    const broken = await runCli(["config", "validate"], { cwd, env: {} });
    assert.equal(broken.exitCode, 4);
    assert.match(broken.stderr, /^error: config\.yaml:3:9: service\.port is "abc"; /);
    assert.match(broken.stderr, /^ {2}config\.yaml:7:12: DATABASE_URL is not set /m);
    assert.match(
      broken.stderr,
      /^ {2}config\.yaml:8:7: unknown key .*max_conections; did you mean max_connections\?$/m,
    );
  });

  it("shows what differs between environments", async (t) => {
    const cwd = createService(t);
    const { exitCode, stdout, stderr } = await runCli(["config", "diff", "development", "production"], { cwd, env });
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^KEY +development +production$/m);
    assert.match(stdout, /^service\.port +8080 +9090$/m);
    assert.doesNotMatch(stdout, /service\.name/);
    const same = await runCli(["config", "diff", "production", "production", "-o", "json"], { cwd, env });
    assert.deepEqual(JSON.parse(same.stdout).differences, []);
  });

  it("prints the schema of the package", async () => {
    const { stdout } = await runCli(["config", "schema"]);
    const file = resolve(import.meta.dirname, "../../service/config.schema.json");
    assert.deepEqual(JSON.parse(stdout), JSON.parse(readFileSync(file, "utf8")));
  });
});
