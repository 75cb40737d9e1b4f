// What looks at a server without calling its methods: list, describe, health, wait.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createServer } from "@tercel/grpc";
import { createHealth, reflectionServices } from "@tercel/grpc/services";
import { freePorts } from "@tercel/test-support/servers";
import { startLibrary } from "./library-server.ts";
import { type CliRun, runCli } from "./run-cli.ts";

const service = "tercel.cli.test.v1.LibraryService";

function succeeded(run: CliRun): CliRun {
  assert.equal(run.exitCode, 0, run.stderr);
  return run;
}

describe("tercel list", () => {
  it("lists services in each format", async (t) => {
    const { target } = await startLibrary(t);
    const list = async (format: string): Promise<string> =>
      succeeded(await runCli(["list", "--target", target, "-o", format])).stdout;
    const names = [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      service,
    ];
    assert.equal(await list("table"), `SERVICE\n${names.join("\n")}\n`);
    assert.equal(await list("name"), `${names.join("\n")}\n`);
    assert.equal(await list("ndjson"), names.map((name) => `{"name":"${name}"}\n`).join(""));
    assert.deepEqual(JSON.parse(await list("json")), { version: 1, services: names.map((name) => ({ name })) });
  });

  it("lists the methods of a service", async (t) => {
    const { target } = await startLibrary(t);
    const { stdout } = succeeded(await runCli(["list", "LibraryService", "--target", target]));
    assert.match(stdout, /^METHOD {4,}KIND {2,}REQUEST {2,}RESPONSE$/m);
    assert.match(stdout, /^Echo +bidirectional streaming +tercel\.cli\.test\.v1\.Line +tercel\.cli\.test\.v1\.Line$/m);
    const { stdout: names } = succeeded(await runCli(["list", "LibraryService", "--target", target, "-o", "name"]));
    assert.equal(names.split("\n")[0], `${service}/GetBook`);
  });

  it("needs no server where the schema comes from files", async () => {
    const [port] = await freePorts(1);
    const args = ["list", "--proto", "proto/tercel/cli/test/v1/library.proto", "--target", `127.0.0.1:${port}`];
    assert.equal(succeeded(await runCli(args, { cwd: import.meta.dirname })).stdout, `SERVICE\n${service}\n`);
  });
});

describe("texts that a hostile server sends", () => {
  const escapeCode = String.fromCharCode(0x1b);
  const evil = `$(touch evil)${escapeCode}[2J`;
  const [reflection] = reflectionServices;

  it("reach neither the terminal nor the shell that completes", async (t) => {
    assert.ok(reflection);
    const server = createServer({
      routes: (router) =>
        router.service(reflection, {
          async *serverReflectionInfo(requests: AsyncIterable<{ messageRequest: { case?: string } }>) {
            for await (const { messageRequest } of requests) {
              if (messageRequest.case !== "listServices") throw new ConnectError(evil, Code.Aborted);
              yield {
                messageResponse: {
                  case: "listServicesResponse",
                  value: { service: [{ name: evil }, { name: "a.B" }] },
                },
              };
            }
          },
        } as never),
    });
    t.after(() => server.close({ deadlineMs: 0 }));
    const { host, port } = await server.listen({ port: 0 });
    const target = `${host}:${port}`;
    assert.equal(succeeded(await runCli(["list", "--target", target, "-o", "name"])).stdout, "a.B\n");
    assert.equal((await runCli(["__complete", "--", "call", "--target", target, ""])).stdout, "a.B/\n");
    const { exitCode, stderr } = await runCli(["describe", "a.B", "--target", target]);
    assert.equal(exitCode, 74);
    assert.match(stderr, /^error: ABORTED: \$\(touch evil\)/);
    assert.ok(!stderr.includes(escapeCode));
  });
});

describe("tercel describe", () => {
  const show = async (target: string, ...args: string[]): Promise<string> =>
    succeeded(await runCli(["describe", ...args, "--target", target])).stdout;

  it("shows declarations as they stand in a .proto file, with full names", async (t) => {
    const { target } = await startLibrary(t);
    assert.equal(
      await show(target, "tercel.cli.test.v1.Book"),
      `message tercel.cli.test.v1.Book {
  string id = 1;
  string title = 2;
  int64 pages = 3;
  tercel.cli.test.v1.Genre genre = 4;
  repeated string tags = 5;
  map<string, string> labels = 6;
  tercel.cli.test.v1.Author author = 7;
  repeated tercel.cli.test.v1.Author translators = 8;
  map<string, tercel.cli.test.v1.Author> readers = 9;
  oneof owner {
    string person = 10;
    string library = 11;
  }
  google.protobuf.Timestamp printed = 12;
  optional string note = 13;
  bool lent = 14;
  bytes cover = 15;
  double rating = 16;
  google.protobuf.Any extra = 17;
  string shelf = 18 [deprecated = true, json_name = "place"];
}
`,
    );
    assert.equal(
      await show(target, "tercel.cli.test.v1.Genre"),
      "enum tercel.cli.test.v1.Genre {\n  GENRE_UNSPECIFIED = 0;\n  GENRE_NOVEL = 1;\n  GENRE_POETRY = 2;\n}\n",
    );
    assert.match(
      await show(target, "LibraryService"),
      /^ {2}rpc AddBooks\(stream tercel\.cli\.test\.v1\.Book\) returns/m,
    );
  });

  it("shows a method with its messages, and a field where it is declared", async (t) => {
    const { target } = await startLibrary(t);
    const method = await show(target, "LibraryService/ListBooks");
    assert.match(method, /^rpc ListBooks\(tercel\.cli\.test\.v1\.ListBooksRequest\) returns \(stream /);
    assert.match(method, /^message tercel\.cli\.test\.v1\.Book \{$/m);
    assert.equal(await show(target, `${service}.ListBooks`), method);
    assert.match(await show(target, "tercel.cli.test.v1.Line.text"), /^message tercel\.cli\.test\.v1\.Line \{/);
  });

  it("prints a message to fill in, which call takes", async (t) => {
    const { target } = await startLibrary(t);
    const template = await show(target, "LibraryService/AddBooks", "--template");
    const { pages, genre, labels, printed, translators } = JSON.parse(template);
    assert.deepEqual(
      { pages, genre, labels, printed, fullName: translators[0].fullName },
      { pages: "0", genre: "GENRE_UNSPECIFIED", labels: { "": "" }, printed: "1970-01-01T00:00:00Z", fullName: "" },
    );
    const { extra: _, ...known } = JSON.parse(template);
    succeeded(await runCli(["call", "LibraryService/AddBooks", "-d", JSON.stringify(known), "--target", target]));
  });

  it("prints the descriptor with -o json", async (t) => {
    const { target } = await startLibrary(t);
    const { version, kind, name, file, descriptor } = JSON.parse(await show(target, "LibraryService", "-o", "json"));
    assert.deepEqual(
      { version, kind, name, file, methods: descriptor.method.length },
      { version: 1, kind: "service", name: service, file: "tercel/cli/test/v1/library.proto", methods: 4 },
    );
  });

  it("exits with 5 for what it does not find", async (t) => {
    const { target } = await startLibrary(t);
    const unknown = await runCli(["describe", "tercel.cli.test.v1.Bok", "--target", target]);
    assert.equal(unknown.exitCode, 5);
    assert.match(unknown.stderr, /^error: no symbol "tercel\.cli\.test\.v1\.Bok" in reflection of /);
  });
});

describe("tercel health", () => {
  it("shows the status of all services, and of one", async (t) => {
    const { target, health } = await startLibrary(t);
    const all = await runCli(["health", "--target", target]);
    assert.deepEqual(
      [all.exitCode, all.stdout],
      [0, `SERVICE${" ".repeat(28)}STATUS\n(server)${" ".repeat(27)}SERVING\n${service}  SERVING\n`],
    );
    health.setStatus(service, "NOT_SERVING");
    const one = await runCli(["health", service, "--target", target, "-o", "name"]);
    assert.deepEqual([one.exitCode, one.stdout, one.stderr], [3, "NOT_SERVING\n", `error: not healthy: ${service}\n`]);
    const json = await runCli(["health", "--target", target, "-o", "json"]);
    assert.equal(json.exitCode, 3);
    assert.deepEqual(JSON.parse(json.stdout).statuses[1], { service, status: "NOT_SERVING" });
    const none = await runCli(["health", "no.Such", "--target", target]);
    assert.equal(none.exitCode, 5);
  });

  it("follows changes until it is stopped", async (t) => {
    const { target, health } = await startLibrary(t);
    const controller = new AbortController();
    const { Stopped } = await import("../src/frame/stop-signals.ts");
    const { exitCode, stdout } = await runCli(["health", service, "--watch", "--target", target, "-o", "name"], {
      signal: controller.signal,
      onStdout: (text) =>
        text === "SERVING\n" ? health.setStatus(service, "NOT_SERVING") : controller.abort(new Stopped(130)),
    });
    assert.deepEqual([exitCode, stdout], [130, "SERVING\nNOT_SERVING\n"]);
  });

  it("says so where a server has no health service", async (t) => {
    const server = createServer({ routes() {}, log: { debug() {}, info() {}, warn() {}, error() {} } });
    const { host, port } = await server.listen({ port: 0 });
    t.after(() => server.close({ deadlineMs: 0 }));
    const run = await runCli(["health", "--target", `${host}:${port}`]);
    assert.equal(run.exitCode, 76);
    assert.match(run.stderr, /does not serve grpc\.health\.v1\.Health\nhint: add createHealth/);
  });
});

describe("tercel wait", () => {
  it("waits for a server that does not listen yet", async (t) => {
    const [port = 0] = await freePorts(1);
    const waited = runCli(["wait", "--target", `127.0.0.1:${port}`, "--status", "up", "--timeout", "20s"]);
    const server = createServer({ routes() {}, log: { debug() {}, info() {}, warn() {}, error() {} } });
    t.after(() => server.close({ deadlineMs: 0 }));
    await server.listen({ port });
    assert.match(succeeded(await waited).stderr, /^\(server\) is up after /);
  });

  it("waits until a service is healthy", async (t) => {
    let checks = 0;
    const { service: healthService } = createHealth();
    const server = createServer({
      routes: (router) => router.service(healthService, { check: () => ({ status: ++checks < 3 ? 2 : 1 }) }),
    });
    t.after(() => server.close({ deadlineMs: 0 }));
    const { host, port } = await server.listen({ port: 0 });
    const run = succeeded(await runCli(["wait", "any.Service", "--target", `${host}:${port}`, "--timeout", "20s"]));
    assert.match(run.stderr, /^any\.Service is healthy after /);
    assert.equal(checks, 3);
  });

  it("waits for a service that the server does not have as well, and gives up at once where waiting is of no use", async (t) => {
    const { target } = await startLibrary(t);
    succeeded(await runCli(["wait", "none", "--status", "unhealthy", "--target", target]));
    const refusing = createServer({
      routes: (router) =>
        router.service(createHealth().service, {
          check() {
            throw new ConnectError("who are you", Code.Unauthenticated);
          },
        }),
    });
    t.after(() => refusing.close({ deadlineMs: 0 }));
    const { host, port } = await refusing.listen({ port: 0 });
    assert.equal((await runCli(["wait", "--target", `${host}:${port}`])).exitCode, 80);
  });

  it("exits with 6 when the time is over, and says what it saw last", async (t) => {
    const { target, health } = await startLibrary(t);
    health.setStatus(service, "NOT_SERVING");
    const late = await runCli(["wait", service, "--target", target, "--timeout", "2s"]);
    assert.equal(late.exitCode, 6);
    assert.equal(late.stderr, `error: ${service} at ${target} is not healthy after 2s: its status is NOT_SERVING\n`);
    const [port] = await freePorts(1);
    const nowhere = await runCli(["wait", "--target", `127.0.0.1:${port}`, "--timeout", "100ms"]);
    assert.equal(nowhere.exitCode, 6);
    assert.match(nowhere.stderr, /ECONNREFUSED/);
  });
});
