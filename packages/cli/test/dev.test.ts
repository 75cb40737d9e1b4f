// tercel dev with services that tercel new has made: they start, are called, follow changes and stop.
// Long: it starts real services again and again.
import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { startCommand } from "@tercel/test-support/programs";
import type { DevEvent } from "../src/dev/events/dev-event.ts";
import type { DevRecord } from "../src/target/dev-target.ts";
import { type DevRun, editFile, makeProject, makeService, startDev } from "./dev-projects.ts";
import { folderWithPackages, root } from "./new-projects.ts";
import { runCli } from "./run-cli.ts";

async function call(target: string, method: string, ...data: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await runCli([
    "call",
    method,
    ...data.flatMap((one) => ["-d", one]),
    "--target",
    target,
  ]);
  return exitCode === 0 ? JSON.parse(stdout) : stderr;
}

/** Where a service listens, when it says so. */
async function listening(dev: DevRun, service = "user-service"): Promise<string> {
  const [, address = ""] = await dev.line(new RegExp(`^${service} +listens at (\\S+?),? `));
  return address;
}

/** The command line that was printed to be copied, as a shell would split it. */
async function printedCall(dev: DevRun, cwd: string): Promise<readonly string[]> {
  const [, text = ""] = await dev.line(/try: npx tercel (call .+)$/);
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, word]) => {
    const token = double?.replace(/\$\(cat (.+)\)/, (_, file: string) => readFileSync(join(cwd, file), "utf8"));
    return single ?? token ?? word ?? "";
  });
}

describe("tercel dev with one service", () => {
  it("starts it, prints a call that works, follows a change of a handler, and stops it", async (t) => {
    const project = await makeProject(t);
    const dev = startDev(t, project);
    const target = await listening(dev);
    const args = await printedCall(dev, project);
    const printed = await runCli([...args], { cwd: project });
    assert.equal(printed.exitCode, 0, printed.stderr);
    const created = (await call(target, "UserService/CreateUser", "name=Ada", "email=ada@example.com")) as {
      user: { name: string };
    };
    assert.equal(created.user.name, "Ada");

    editFile(join(project, "src/users.ts"), "not found`", "does not exist`");
    const [, again, took = ""] = await dev.line(/listens at (\S+) again, (.+) after the change of src\/users\.ts$/);
    assert.equal(again, target);
    t.diagnostic(`a change was served after ${took}`);
    assert.match(
      String(await call(target, "UserService/GetUser", "id=5f0c2a4e-0000-4000-8000-000000000000")),
      /does not exist/,
    );

    const { exitCode, stderr } = await dev.stop();
    assert.equal(exitCode, 0, stderr);
    // Nothing in it is for a terminal where none is.
    assert.ok(!dev.output().includes("\u001b"));
    assert.match(stderr, /^tercel +stopping; press Ctrl-C again to exit at once$/m);
    assert.match(String(await call(target, "UserService/ListUsers")), /ECONNREFUSED/);
    assert.ok(!existsSync(join(project, ".tercel/dev.json")));
  });

  it("keeps the process that runs when a change does not load, and says why once", async (t) => {
    const project = await makeProject(t);
    const dev = startDev(t, project);
    const target = await listening(dev);
    const file = join(project, "src/users.ts");
    const before = readFileSync(file, "utf8");
    for (const [broken, problem] of [
      [`${before}\nconst x = ;\n`, /Expression expected/],
      [`import { nothing } from "./store.ts";\n${before}nothing();\n`, /does not provide an export named 'nothing'/],
      [`import "./absent.ts";\n${before}`, /Cannot find module .*absent\.ts/],
      [`${before}\nthrow new Error("not like this");\n`, /not like this/],
    ] as const) {
      writeFileSync(file, broken);
      await dev.line(/error: change does not load$/);
      await dev.line(problem);
      await dev.line(/the previous process keeps running$/);
      assert.deepEqual(await call(target, "UserService/ListUsers"), {});
    }
    writeFileSync(file, before);
    await dev.line(/listens at \S+ again/);
    editFile(join(project, "config/default.yaml"), "port: 50051", "port: abc");
    await dev.line(/error: change does not load$/);
    await dev.line(/config\/default\.yaml:5:9: service\.port is "abc"/);
    assert.deepEqual(await call(target, "UserService/ListUsers"), {});
    await dev.stop();
  });

  it("waits for a change where the first start does not load, and does not try over and over", async (t) => {
    const project = await makeProject(t);
    const file = join(project, "src/main.ts");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, `${before}const x = ;`);
    const dev = startDev(t, project);
    await dev.line(/error: does not load$/);
    await dev.line(/^user-service +src\/main\.ts:\d+$/);
    writeFileSync(file, before);
    await listening(dev);
    assert.equal(dev.output().match(/does not load/g)?.length, 1);
    await dev.stop();

    writeFileSync(file, `${before}const x = ;`);
    const once = startDev(t, project, ["--no-watch"]);
    await once.line(/error: does not load$/);
    const { exitCode, stderr } = await once.stop();
    assert.equal(exitCode, 1);
    assert.match(stderr, /^error: user-service failed to start$/m);
  });

  it("starts a service again that was killed", async (t) => {
    const project = await makeProject(t);
    editFile(
      join(project, "src/service.ts"),
      "  routes(router",
      "  background: { end: async () => void setTimeout(() => process.exit(7), 300) },\n  routes(router",
    );
    const dev = startDev(t, project);
    await listening(dev);
    await dev.line(/exited with code 7; restarts in 0\.\d s or after a change$/);
    await dev.line(/listens at \S+ again$/);
    await dev.stop();
  });

  it("generates code when a proto changes, and starts with it", async (t) => {
    const project = await makeProject(t);
    const dev = startDev(t, project);
    await listening(dev);
    const proto = join(project, "proto/user/v1/user.proto");
    editFile(
      proto,
      "service UserService {",
      "service UserService {\n  // Counts.\n  rpc CountUsers(CountUsersRequest) returns (CountUsersResponse);\n",
    );
    await dev.line(/error: proto\/user\/v1\/user\.proto:\d+:\d+: cannot find `CountUsersRequest`/);
    writeFileSync(
      proto,
      `${readFileSync(proto, "utf8")}\nmessage CountUsersRequest {}\nmessage CountUsersResponse {}\n`,
    );
    await dev.line(/changed: gen\/user\/v1\/user_pb\.ts/);
    const [, target = ""] = await dev.line(
      /listens at (\S+) again, .+ after the change of gen\/user\/v1\/user_pb\.ts$/,
    );
    assert.match(String(await call(target, "UserService/CountUsers")), /UNIMPLEMENTED/);
    await dev.stop();
  });

  it("prints a call with a token where the service wants one", async (t) => {
    const project = await makeProject(t, "user-service", ["--with-auth=jwt"]);
    const dev = startDev(t, project);
    await listening(dev);
    const args = await printedCall(dev, project);
    assert.ok(args.includes("-H"), args.join(" "));
    const printed = await runCli([...args], { cwd: project });
    assert.equal(printed.exitCode, 0, printed.stderr);
    await dev.stop();
  });

  it("tells other programs what happens: states, lines, calls, and what it says itself", async (t) => {
    const project = await makeProject(t);
    const dev = startDev(t, project);
    const target = await listening(dev);
    await dev.line(/try: npx tercel call /);
    const { socket = "" } = JSON.parse(readFileSync(join(project, ".tercel/dev.json"), "utf8")) as DevRecord;
    const lines = createInterface({ input: connect(socket) })[Symbol.asyncIterator]();
    const next = async (isWanted: (event: DevEvent) => boolean): Promise<DevEvent> => {
      for (;;) {
        const { value, done } = await lines.next();
        assert.ok(done !== true, "the socket ended");
        const event = JSON.parse(value) as DevEvent;
        if (isWanted(event)) return event;
      }
    };
    const isLife = (state: string) => (event: DevEvent) => event.type === "life" && event.state === state;
    const { time: _time, ...life } = await next(() => true);
    assert.deepEqual(life, {
      version: 1,
      service: "user-service",
      type: "life",
      state: "serving",
      address: target,
      restarts: 0,
    });
    await call(target, "UserService/CreateUser", "name=Ada", "email=ada@example.com");
    const isCall = (event: DevEvent) => event.type === "span" && event.method.endsWith("/CreateUser");
    const span = await next(isCall);
    assert.ok(span.type === "span" && span.status === "OK" && span.side === "server" && span.durationMs > 0);
    assert.ok(Date.parse(span.startTime) <= Date.parse(span.time));

    const file = join(project, "src/users.ts");
    writeFileSync(file, `${readFileSync(file, "utf8")}\nthrow new Error("not like this");\n`);
    const problem = await next((event) => event.type === "note" && event.level === "error");
    assert.match(problem.type === "note" ? problem.text : "", /^change does not load\n[\s\S]*not like this/);
    const stopped = next(isLife("stopped"));
    await dev.stop();
    await stopped;
    assert.equal((await lines.next()).done, true);
    assert.ok(!existsSync(socket));
  });

  it("takes settings and variables", async (t) => {
    const project = await makeProject(t);
    writeFileSync(join(project, "other.env"), "TERCEL__MONITORING__PROVIDERS__PROMETHEUS__PATH=/figures\n");
    const dev = startDev(t, project, ["--set", "service.port=0", "--env-file", "other.env"]);
    const [, metrics = ""] = await dev.line(/metrics at (\S+) /);
    assert.match(metrics, /\/figures$/);
    assert.equal((await fetch(metrics)).status, 200);
    await dev.stop();
  });
});

/** Takes the place of a bundler. */
const pageBuild = `
import { mkdirSync, writeFileSync } from "node:fs";
import { title } from "./page/title.ts";
mkdirSync(new URL("dist", import.meta.url), { recursive: true });
writeFileSync(new URL("dist/index.html", import.meta.url), title);
`;

describe("tercel dev with a page to build", () => {
  async function makePage(t: TestContext) {
    const project = await makeProject(t);
    const readme = readFileSync(join(root, "packages/cli/README.md"), "utf8");
    const [, builds] = /^```yaml\n(builds:\n[\s\S]*?)```$/m.exec(readme) ?? assert.fail("the README shows no builds");
    appendFileSync(join(project, "tercel.yaml"), builds ?? "");
    mkdirSync(join(project, "web/page"), { recursive: true });
    writeFileSync(join(project, "web/build.ts"), pageBuild);
    const write = (code: string): void => writeFileSync(join(project, "web/page/title.ts"), code);
    write('export const title = "one";\n');
    return { project, write, page: () => readFileSync(join(project, "web/dist/index.html"), "utf8") };
  }

  it("builds it before the service starts and after a change, and restarts nothing for what the page alone reads", async (t) => {
    const { project, write, page } = await makePage(t);
    const dev = startDev(t, project);
    await dev.line(/^tercel +built page in /);
    assert.equal(page(), "one");
    await listening(dev);
    write('export const title = "two";\n');
    await dev.line(/^tercel +built page in .+, after the change of web\/page\/title\.ts$/);
    assert.equal(page(), "two");
    write("export const title = ;\n");
    await dev.line(/^tercel +error: build page failed with exit code 1$/);
    await dev.line(/^tercel +.*Expression expected/);
    write('export const title = "three";\n');
    await dev.line(/^tercel +built page in /);
    assert.equal(page(), "three");
    assert.doesNotMatch(dev.output(), /^user-service +(?:listens at \S+ again|error:)/m);

    // Generated code is the service's, too.
    appendFileSync(join(project, "gen/user/v1/user_pb.ts"), "// changed\n");
    const both =
      /^(?:tercel +(built) page in .+|user-service +listens at \S+ (again), .+) after the change of gen\/user\/v1\/user_pb\.ts$/;
    const seen = [await dev.line(both), await dev.line(both)].map(([, built, again]) => built ?? again);
    assert.deepEqual(seen.toSorted(), ["again", "built"]);
    await dev.stop();

    const unchanged = startDev(t, project);
    await listening(unchanged);
    assert.doesNotMatch(unchanged.output(), /built page/);
    await unchanged.stop();
  });

  it("restarts the services that are said to read it, and refuses what it does not know", async (t) => {
    const { project, write } = await makePage(t);
    const file = join(project, "tercel.yaml");
    appendFileSync(file, "    restart: user-service\n");
    const dev = startDev(t, project);
    await listening(dev);
    write('export const title = "two";\n');
    await dev.line(/^tercel +built page in /);
    await dev.line(/^user-service +listens at \S+ again, .+ after the change of web\/dist$/);
    await dev.stop();
    editFile(file, "    restart: user", "    restrt: user");
    const { exitCode, stderr } = await runCli(["dev"], { cwd: project });
    assert.equal(exitCode, 4);
    assert.match(stderr, /^error: tercel\.yaml:\d+:5: unknown key "restrt" of a build; did you mean restart\?$/m);
  });
});

describe("tercel dev on a port that another process has", () => {
  const other = `const server = require("node:net").createServer();
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;

  it("does not take that process for its service, and names it", async (t) => {
    const project = await makeProject(t);
    const program = startCommand(t, process.execPath, ["-e", other]);
    const port = await program.line();
    const dev = startDev(t, project, ["--set", `service.port=${port}`]);
    const [, owner = ""] = await dev.line(/port \d+ is taken by (.+); end it, or choose another port with --set$/);
    if (process.platform === "linux") assert.match(owner, /^another process \(pid \d+: \S+node -e /);
    await dev.line(/exited with code 1; restarts in /);
    assert.doesNotMatch(dev.output(), /listens at/);
    program.signal("SIGKILL");
    await program.ended;
    assert.equal((await dev.line(/listens at (\S+) again$/))[1], `127.0.0.1:${port}`);
    assert.equal(dev.output().match(/is taken by another process/g)?.length, 1);
    await dev.stop();
  });

  it("uses the next one where nothing says that it has to be that port", async (t) => {
    const project = await makeProject(t);
    const program = startCommand(t, process.execPath, ["-e", other]);
    const port = Number(await program.line());
    editFile(join(project, "config/default.yaml"), "port: 50051", `port: ${port}`);
    const dev = startDev(t, project);
    await dev.line(
      new RegExp(`port ${port} is taken by another process.*; end it, and start this again to have that port$`),
    );
    const target = await listening(dev);
    assert.notEqual(target, `127.0.0.1:${port}`);
    assert.deepEqual(await call(target, "UserService/ListUsers"), {});
    await dev.stop();
  });
});

describe("tercel dev as a process", () => {
  it("lets calls end at the first Ctrl-C, and ends everything at the second", async (t) => {
    const project = await makeProject(t);
    // npm, which runs the tests, is not what has started it.
    const script = `unset npm_lifecycle_event; cd "$0" && exec "$@" 2>&1`;
    const node = [process.execPath, "--conditions=source", join(root, "packages/cli/src/main.ts")];
    const dev = startCommand(t, "/bin/sh", ["-c", script, project, ...node, "dev"]);
    const next = async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const found = pattern.exec(await dev.line());
        if (found !== null) return found;
      }
    };
    const [, target = ""] = await next(/listens at (\S+?),? /);
    const created = (await call(target, "UserService/CreateUser", "name=Ada", "email=ada@example.com")) as {
      user: { id: string };
    };
    // A stream that does not end by itself.
    const watching = Promise.withResolvers<void>();
    const args = ["call", "UserService/WatchUser", "-d", `id=${created.user.id}`, "--target", target];
    const watched = runCli(args, { onStdout: () => watching.resolve() });
    await watching.promise;
    dev.signal("SIGINT");
    await next(/stopping; press Ctrl-C again to exit at once$/);
    dev.signal("SIGINT");
    assert.deepEqual(await dev.ended, [130, null]);
    assert.equal((await watched).exitCode, 78);
  });

  it("takes its services along when it is killed", async (t) => {
    const project = await makeProject(t);
    const script = `cd "$0" && exec "$@" 2>&1`;
    const node = [process.execPath, "--conditions=source", join(root, "packages/cli/src/main.ts")];
    const dev = startCommand(t, "/bin/sh", ["-c", script, project, ...node, "dev"]);
    for (;;) if (/listens at /.test(await dev.line())) break;
    dev.signal("SIGKILL");
    // The pipe is closed when the last one that writes to it has ended.
    await dev.rest();
    assert.deepEqual(await dev.ended, [null, "SIGKILL"]);
  });
});

/** Another program on the ports of a configuration, such as those that every new service has. */
async function configWithTakenPorts(t: TestContext): Promise<string> {
  const servers = Array.from({ length: 3 }, () => createServer().listen(0, "127.0.0.1"));
  t.after(() => {
    for (const server of servers) server.close();
  });
  await Promise.all(servers.map((server) => once(server, "listening")));
  const [grpc, metrics, registry] = servers.map((server) => (server.address() as AddressInfo).port);
  return `service:
  port: ${grpc}
monitoring:
  providers:
    prometheus:
      endpoint: 127.0.0.1:${metrics}
discovery:
  providers:
    embedded:
      target: 127.0.0.1:${registry}
`;
}

describe("tercel dev with several services", () => {
  it("moves their ports, starts first what others depend on, and restarts only what has changed", async (t) => {
    const above = folderWithPackages(t);
    const config = await configWithTakenPorts(t);
    const taken = [...config.matchAll(/\d{4,}/g)].map(([port]) => Number(port));
    const workspace = await runCli(["new", "shop", "--workspace", "--no-install", "--no-git"], { cwd: above });
    assert.equal(workspace.exitCode, 0, workspace.stderr);
    const root = join(above, "shop");
    for (const name of ["user-service", "order-service"]) await makeService(root, name);
    const [user, order] = [join(root, "services/user-service"), join(root, "services/order-service")];
    writeFileSync(join(order, "config/local.yaml"), config);
    writeFileSync(
      join(user, "config/local.yaml"),
      `${config}dependencies:\n  - name: order-service\n    required: true\n`,
    );
    const dev = startDev(t, root);
    const [, first] = await dev.line(/^(\S+) +listens at /);
    assert.equal(first, "order-service");
    const target = await listening(dev);
    const record = JSON.parse(readFileSync(join(root, ".tercel/dev.json"), "utf8")) as {
      services: { name: string; target: string }[];
    };
    const targets = record.services.map((one) => one.target);
    assert.equal(new Set(targets).size, 2);
    assert.ok(targets.every((one) => !taken.includes(Number(one.split(":")[1]))));
    // The one finds the other at the registry of tercel dev.
    const waited = await runCli(["wait", "--timeout=60s", "--target", target]);
    assert.equal(waited.exitCode, 0, waited.stderr);

    editFile(join(order, "src/main.ts"), "await runService", "// changed\nawait runService");
    await dev.line(/^order-service +listens at \S+ again/);
    assert.doesNotMatch(dev.output(), /^user-service +listens at \S+ again/m);
    const { exitCode } = await dev.stop();
    assert.equal(exitCode, 0);
  });

  it("runs what was named with what it depends on, or alone", async (t) => {
    const root = folderWithPackages(t);
    for (const name of ["user-service", "order-service", "mail-service"])
      await makeService(root, name, ["--with-discovery=none"]);
    writeFileSync(
      join(root, "user-service/config/local.yaml"),
      "dependencies:\n  - name: order-service\n    required: false\n    target: 127.0.0.1:1\n",
    );
    const dev = startDev(t, root, ["user-service"]);
    await listening(dev);
    assert.match(dev.output(), /^order-service +listens at /m);
    assert.doesNotMatch(dev.output(), /^mail-service/m);
    await dev.stop();
    const alone = startDev(t, root, ["user-service", "--only"]);
    await listening(alone);
    assert.doesNotMatch(alone.output(), /^order-service +listens/m);
    await alone.stop();
    const unknown = await runCli(["dev", "usr-service"], { cwd: root });
    assert.equal(unknown.exitCode, 5);
    assert.match(unknown.stderr, /^error: unknown service "usr-service"; did you mean user-service\?$/m);
  });
});
