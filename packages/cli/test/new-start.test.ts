// A project of tercel new as its users run it: started, called, watched and stopped, on SQLite and on a real PostgreSQL.
// Long: it generates services, starts them from their sources, and one on PostgreSQL.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { startCommand } from "@tercel/test-support/programs";
import { createPostgresServer, freePorts, withoutPostgres } from "@tercel/test-support/servers";
import { folderWithPackages, runNode } from "./new-projects.ts";
import { runCli } from "./run-cli.ts";

interface Started {
  readonly address: string;
  stop(): Promise<readonly [number | null, NodeJS.Signals | null]>;
}

async function makeProject(t: TestContext, flags: readonly string[]): Promise<string> {
  const cwd = folderWithPackages(t);
  const common = ["--with-discovery=none", "--no-install", "--no-git"];
  const { exitCode, stderr } = await runCli(["new", "user-service", ...flags, ...common], { cwd });
  assert.equal(exitCode, 0, stderr);
  return join(cwd, "user-service");
}

/** Starts the service in its folder, where it finds its configuration. */
async function start(
  t: TestContext,
  project: string,
  sets: readonly string[],
  env: Record<string, string> = {},
): Promise<Started> {
  const script = `cd "$0" && exec "$@"`;
  const node = [process.execPath, "--conditions=source", "src/main.ts"];
  const settings = ["service.port=0", ...sets].flatMap((one) => ["--set", one]);
  const service = startCommand(t, "/bin/sh", ["-c", script, project, ...node, ...settings], { NODE_ENV: "", ...env });
  for (;;) {
    const { message, address } = JSON.parse(await service.line()) as { message: string; address: string };
    if (message !== "ready") continue;
    return {
      address,
      async stop() {
        service.signal("SIGTERM");
        return service.ended;
      },
    };
  }
}

async function call(target: string, method: string, ...data: readonly string[]): Promise<unknown> {
  const args = ["call", `UserService/${method}`, ...data.flatMap((one) => ["-d", one]), "--target", target];
  const { exitCode, stdout, stderr } = await runCli(args);
  return exitCode === 0 ? JSON.parse(stdout) : stderr;
}

describe("a service that tercel new has made", () => {
  it("keeps users in SQLite over a restart, and shows metrics", async (t) => {
    const project = await makeProject(t, []);
    const [port] = await freePorts(1);
    const metrics = [`monitoring.providers.prometheus.endpoint=127.0.0.1:${port}`];
    const first = await start(t, project, metrics);
    const created = (await call(first.address, "CreateUser", "name=Ada", "email=ada@example.com")) as {
      user: { id: string; name: string };
    };
    assert.equal(created.user.name, "Ada");
    const file = join(project, "requests/create-user.yaml");
    const again = await runCli(["call", "--from", file, "--target", first.address]);
    assert.match(again.stderr, /ALREADY_EXISTS: a user with this email already exists/);
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(page, /^grpc_server_requests_total\{.*"CreateUser".*status="OK".*\} 1$/m);
    assert.deepEqual(await first.stop(), [0, null]);

    const second = await start(t, project, metrics);
    assert.deepEqual(await call(second.address, "GetUser", `id=${created.user.id}`), created);
    assert.match(String(await call(second.address, "CreateUser", "name=Ada", "email=no address")), /INVALID_ARGUMENT/);
    assert.deepEqual(await second.stop(), [0, null]);
  });

  it("has every metric that alerts and graphs name", async (t) => {
    const project = await makeProject(t, []);
    const written = await runCli(["deploy", "compose"], { cwd: project });
    assert.equal(written.exitCode, 0, written.stderr);
    const texts = ["prometheus/alerts.yml", "grafana/dashboards/user-service.json"].map((file) =>
      readFileSync(join(project, "deploy", file), "utf8"),
    );
    const named = new Set(texts.join().match(/\b(?:grpc|tercel|nodejs|process)_[a-z_]+/g));
    const [port] = await freePorts(1);
    const service = await start(t, project, [`monitoring.providers.prometheus.endpoint=127.0.0.1:${port}`]);
    // By reflection, whose call is a stream.
    await call(service.address, "CreateUser", "name=Ada", "email=ada@example.com");
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const known = new Set([...page.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
    assert.ok(named.size > 10, [...named].join());
    assert.deepEqual(
      [...named].filter((name) => !known.has(name.replace(/_bucket$/, ""))),
      [],
    );
    assert.deepEqual(await service.stop(), [0, null]);
  });

  it("serves REST and the page of documentation on the port of gRPC with --gateway", async (t) => {
    const project = await makeProject(t, ["--gateway", "--with-monitoring=none"]);
    const service = await start(t, project, []);
    const rest = async (method: string, path: string, body?: object): Promise<readonly [number, unknown]> => {
      const headers = { "content-type": "application/json" };
      const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      const response = await fetch(`http://${service.address}${path}`, { method, ...sent });
      return [response.status, await response.json()];
    };
    const [, created] = (await rest("POST", "/v1/users", { name: "Ada", email: "ada@example.com" })) as [
      number,
      { user: { id: string } },
    ];
    const { id } = created.user;
    assert.deepEqual(await rest("GET", `/v1/users/${id}`), [200, await call(service.address, "GetUser", `id=${id}`)]);
    const [, changed] = await rest("PATCH", `/v1/users/${id}`, { name: "Ada King" });
    assert.equal((changed as typeof created & { user: { name: string } }).user.name, "Ada King");
    const [status, listed] = await rest("GET", "/v1/users?pageSize=1");
    assert.deepEqual([status, (listed as { users: unknown[] }).users.length], [200, 1]);
    assert.equal((await rest("POST", "/v1/users", { name: "Ada", email: "no address" }))[0], 400);
    const watched = await fetch(`http://${service.address}/v1/users/${id}:watch`);
    const { value } = await (watched.body as ReadableStream<Uint8Array>).getReader().read();
    assert.match(new TextDecoder().decode(value), /^\{"result":\{"user":\{.*Ada King/);
    assert.deepEqual(await rest("DELETE", `/v1/users/${id}`), [200, {}]);
    assert.equal((await rest("GET", `/v1/users/${id}`))[0], 404);

    const [, description] = await rest("GET", "/openapi.json");
    const { openapi, paths } = description as { openapi: string; paths: Record<string, unknown> };
    assert.match(openapi, /^3\.1\./);
    assert.deepEqual(Object.keys(paths).sort(), ["/v1/users", "/v1/users/{id}", "/v1/users/{id}:watch"]);
    const page = await fetch(`http://${service.address}/docs`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(await page.text(), /user-service/);
    assert.deepEqual(await service.stop(), [0, null]);
  });

  it("keeps users in PostgreSQL, and its tests pass there", { skip: withoutPostgres }, async (t) => {
    const postgres = await createPostgresServer();
    t.after(() => postgres.dispose());
    await postgres.start();
    const url = `postgres://postgres@127.0.0.1:${postgres.port}/postgres`;
    const project = await makeProject(t, ["--with-database=postgres", "--with-monitoring=none"]);
    const service = await start(t, project, [], { DATABASE_URL: url });
    const created = (await call(service.address, "CreateUser", "name=Ada", "email=ada@example.com")) as {
      user: { id: string; createdAt: string };
    };
    assert.deepEqual(await call(service.address, "GetUser", `id=${created.user.id}`), created);
    assert.match(
      String(await call(service.address, "CreateUser", "name=Ada", "email=ada@example.com")),
      /ALREADY_EXISTS: a user with this email already exists/,
    );
    assert.deepEqual(await service.stop(), [0, null]);
    const tests = runNode(["--conditions=source", "--test", "test/store.test.ts"], project, { TEST_DATABASE_URL: url });
    assert.equal(tests.exitCode, 0, tests.output);
  });
});
