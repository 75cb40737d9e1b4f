import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { createOccasion } from "@tercel/test-support/async";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { freePorts } from "@tercel/test-support/servers";
import { startLibrary } from "./library-server.ts";
import { type CliRun, runCli } from "./run-cli.ts";

const service = "tercel.cli.test.v1.LibraryService";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-call-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function succeeded(run: CliRun): CliRun {
  assert.equal(run.exitCode, 0, run.stderr);
  return run;
}

describe("tercel call", () => {
  it("makes a unary call and prints its response as people read it, and nothing else on standard output", async (t) => {
    const { target } = await startLibrary(t);
    const { stdout, stderr } = succeeded(
      await runCli(["call", `${service}/GetBook`, "-d", '{"id": "7"}', "--target", target]),
    );
    assert.equal(
      stdout,
      '{\n  "id": "7",\n  "title": "Middlemarch",\n  "pages": "9007199254740993",\n  "genre": "GENRE_NOVEL"\n}\n',
    );
    assert.equal(stderr, "");
  });

  it("takes the target from the environment, and a method without its package, as in TypeScript or with a dot", async (t) => {
    const { target } = await startLibrary(t);
    for (const method of [
      "LibraryService/GetBook",
      "libraryservice/getBook",
      `/${service}/GetBook`,
      `${service}.GetBook`,
    ]) {
      const run = succeeded(await runCli(["call", method, "-d", "id=7"], { env: { TERCEL_TARGET: target } }));
      assert.match(run.stdout, /"id": "7"/, method);
    }
  });

  it("prints the messages of a stream one in a line", async (t) => {
    const { target } = await startLibrary(t);
    const { stdout } = succeeded(
      await runCli(["call", "LibraryService/ListBooks", "-d", "count=3", "--target", target]),
    );
    assert.equal(stdout, '{"id":"1"}\n{"id":"2"}\n{"id":"3"}\n');
  });

  it("sends a stream of what -d gives: several values, an array, several flags", async (t) => {
    const { target } = await startLibrary(t);
    const add = ["call", "LibraryService/AddBooks", "--target", target, "-o", "ndjson"];
    const expected = '{"books":[{"id":"1"},{"id":"2"}]}\n';
    assert.equal(succeeded(await runCli([...add, "-d", '{"id": "1"} {"id": "2"}'])).stdout, expected);
    assert.equal(succeeded(await runCli([...add, "-d", '[{"id": "1"}, {"id": "2"}]'])).stdout, expected);
    assert.equal(succeeded(await runCli([...add, "-d", '{"id": "1"}', "-d", '{"id": "2"}'])).stdout, expected);
  });

  it("sends what standard input holds, whatever the lines are, and half-closes at its end", async (t) => {
    const { target } = await startLibrary(t);
    const input = '{"text": "one"}\n{\n  "text": "two"\n}{"text": "three"}';
    const { stdout } = succeeded(await runCli(["call", "LibraryService/Echo", "--target", target], { input }));
    assert.equal(stdout, '{"text":"one"}\n{"text":"two"}\n{"text":"three"}\n');
  });

  it("sends and prints the messages of both directions as they come", async (t) => {
    const { target } = await startLibrary(t);
    const input = new PassThrough();
    let answered = createOccasion();
    const run = runCli(["call", "LibraryService/Echo", "--target", target], {
      input,
      onStdout: () => answered.happen(),
    });
    for (const text of ["one", "two"]) {
      input.write(`{"text": "${text}"}\n`);
      await answered.happened;
      answered = createOccasion();
    }
    input.end();
    assert.equal(succeeded(await run).stdout, '{"text":"one"}\n{"text":"two"}\n');
  });

  it("reads a message from a file", async (t) => {
    const { target } = await startLibrary(t);
    const folder = folderFor(t);
    writeFileSync(join(folder, "book.json"), '{"id": "7"}');
    const args = ["call", "LibraryService/GetBook", "--target", target, "-d"];
    assert.match(succeeded(await runCli([...args, "@book.json"], { cwd: folder })).stdout, /"id": "7"/);
    const missing = await runCli([...args, "@none.json"], { cwd: folder });
    assert.equal(missing.exitCode, 2);
    assert.equal(missing.stderr, "error: cannot read -d none.json: no such file\n");
  });

  it("prints headers, trailers and time next to the response, where asked for", async (t) => {
    const { target } = await startLibrary(t);
    const { stderr } = succeeded(
      await runCli([
        "call",
        "LibraryService/GetBook",
        "-d",
        "id=7",
        "--target",
        target,
        "--include",
        "headers,trailers,timing",
      ]),
    );
    assert.match(stderr, /^x-shelf: 7$/m);
    assert.match(stderr, /^x-checked: yes$/m);
    assert.match(stderr, /^1 message in .+, headers after /m);
    const wrong = await runCli(["call", "LibraryService/GetBook", "--target", target, "--include", "header"]);
    assert.equal(wrong.exitCode, 2);
    assert.equal(wrong.stderr, 'error: invalid --include "header": did you mean "headers"?\n');
  });

  it("prints one document with -o json", async (t) => {
    const { target } = await startLibrary(t);
    const { stdout } = succeeded(
      await runCli(["call", "LibraryService/GetBook", "-d", "id=7", "--target", target, "-o", "json"]),
    );
    const document = JSON.parse(stdout);
    assert.deepEqual(Object.keys(document), ["version", "status", "headers", "messages", "trailers", "timing"]);
    assert.deepEqual([document.version, document.status, document.messages[0].id], [1, "OK", "7"]);
    assert.deepEqual(document.trailers, [{ name: "x-checked", value: "yes" }]);
  });

  it("prints fields without a value on request", async (t) => {
    const { target } = await startLibrary(t);
    const args = ["call", "LibraryService/ListBooks", "-d", "count=1", "--target", target, "--emit-defaults"];
    assert.match(succeeded(await runCli(args)).stdout, /"lent":false/);
  });

  it("sends headers, filled from the environment, and refuses those that gRPC sets", async (t) => {
    const server = await startLibrary(t);
    const args = ["call", "LibraryService/GetBook", "-d", "id=7", "--target", server.target];
    const headers = ["-H", `authorization: Bearer \${TOKEN}`, "-H", `x-note=a$\${b}`, "-H", "x-raw-bin: AQI="];
    succeeded(await runCli([...args, ...headers], { env: { TOKEN: "secret" } }));
    assert.equal(server.lastHeaders().get("authorization"), "Bearer secret");
    assert.equal(server.lastHeaders().get("x-note"), `a\${b}`);
    assert.equal(server.lastHeaders().get("x-raw-bin"), "AQI=");

    for (const [header, text] of [
      [`authorization: \${NONE}`, "variable NONE is not set; header authorization uses it"],
      ["content-type: text/html", "reserved header content-type: gRPC sets it"],
      ["no header", 'invalid header "no header": expected -H "name: value"'],
      ["x-bin: ??", "invalid header x-bin: a binary header needs a base64 value"],
      ["x(a): b", "invalid header name x(a)"],
      ["x-a: b\u0007", "invalid header x-a: its value contains a character that is not printable ASCII"],
    ]) {
      const refused = await runCli([...args, "-H", header as string]);
      assert.deepEqual([refused.exitCode, refused.stderr.split("\n")[0]], [2, `error: ${text}`]);
    }
  });

  it("ends a failed call with 64 + its status, its details and where its time went", async (t) => {
    const { target } = await startLibrary(t);
    const run = await runCli(["call", "LibraryService/GetBook", "-d", "id=none", "--target", target]);
    assert.equal(run.exitCode, 69);
    assert.equal(run.stdout, "");
    const [first, detail, explained] = run.stderr.split("\n");
    assert.equal(first, "error: NOT_FOUND: there is no such book");
    assert.equal(detail, '  google.rpc.ResourceInfo {"resourceType":"book","resourceName":"books/none"}');
    assert.match(explained ?? "", /^ {2}\/tercel\.cli\.test\.v1\.LibraryService\/GetBook at .* failed with NOT_FOUND/);
  });

  it("ends with an error object as the last line of standard error when the output is JSON", async (t) => {
    const { target } = await startLibrary(t);
    const run = await runCli(["call", "LibraryService/GetBook", "-d", "id=none", "--target", target, "-o", "json"]);
    assert.equal(run.exitCode, 69);
    const { version, error } = JSON.parse(run.stderr.trimEnd().split("\n").at(-1) ?? "");
    assert.equal(version, 1);
    assert.deepEqual(
      { message: error.message, exitCode: error.exitCode, status: error.status, type: error.details[0]["@type"] },
      {
        message: "NOT_FOUND: there is no such book",
        exitCode: 69,
        status: "NOT_FOUND",
        type: "google.rpc.ResourceInfo",
      },
    );
    assert.equal(error.explanation.attempts[0].endpoint, target);
  });

  it("gives a call up at its deadline", async (t) => {
    const over = createOccasion();
    const { target } = await startLibrary(t, { onGetBook: () => over.happened });
    const run = await runCli([
      "call",
      "LibraryService/GetBook",
      "-d",
      "id=7",
      "--target",
      target,
      "--deadline",
      "50ms",
    ]);
    over.happen();
    assert.equal(run.exitCode, 68);
    assert.match(run.stderr, /^error: DEADLINE_EXCEEDED: /);
    const unitless = await runCli(["call", "LibraryService/GetBook", "--target", target, "--deadline", "30"]);
    assert.deepEqual([unitless.exitCode, unitless.stderr], [2, 'error: invalid --deadline "30": add a unit: 30s\n']);
  });

  it("exits with 7 where no one listens, and says what failed", async () => {
    const [port] = await freePorts(1);
    const run = await runCli(["call", "LibraryService/GetBook", "--target", `127.0.0.1:${port}`]);
    assert.equal(run.exitCode, 7);
    assert.match(run.stderr, /^error: UNAVAILABLE: .*ECONNREFUSED/);
    assert.match(run.stderr, /^hint: name the server with --target/m);
  });

  it("names the nearest service, method, field and option", async (t) => {
    const { target } = await startLibrary(t);
    const fail = async (...args: string[]): Promise<[number, string]> => {
      const { exitCode, stderr } = await runCli(["call", ...args, "--target", target]);
      return [exitCode, stderr.split("\n")[0] ?? ""];
    };
    assert.deepEqual(await fail("LibraryService/GetBok"), [
      5,
      `error: ${service} has no method "GetBok"; did you mean "GetBook"?`,
    ]);
    assert.deepEqual(await fail("LibaryService/GetBook"), [
      5,
      `error: no service "LibaryService" in reflection of ${target}; did you mean "${service}"?`,
    ]);
    assert.deepEqual(await fail("LibraryService/GetBook", "-d", '{ "idd": 1}'), [
      4,
      'error: -d:1:3: unknown field "idd"; did you mean "id"?',
    ]);
    assert.deepEqual(await fail("LibraryService/GetBook", "-d", "idd=1"), [
      4,
      'error: -d idd=1: unknown field "idd"; did you mean "id"?',
    ]);
    assert.deepEqual(await fail("LibraryService/GetBook", "--dealine", "3s"), [
      2,
      'error: unknown option "--dealine"; did you mean --deadline?',
    ]);
    assert.deepEqual(await fail("GetBook"), [
      2,
      'error: invalid method "GetBook": expected SERVICE/METHOD, such as hello.v1.HelloService/SayHello',
    ]);
  });

  it("cancels the call and names the place when a message of a stream is wrong", async (t) => {
    const { target } = await startLibrary(t);
    const input = '{"text": "one"}\n{"txt": "two"}\n';
    const run = await runCli(["call", "LibraryService/Echo", "--target", target], { input });
    assert.equal(run.exitCode, 4);
    assert.equal(run.stderr.split("\n")[0], 'error: stdin:2:2: unknown field "txt"; did you mean "text"?');
  });

  it("refuses several messages where the method takes one, and none where one is needed", async (t) => {
    const { target } = await startLibrary(t);
    const args = ["call", "LibraryService/GetBook", "--target", target];
    assert.match(
      (await runCli([...args, "-d", '{"id":"1"}{"id":"2"}'])).stderr,
      /too many messages in -d: the method takes one/,
    );
    assert.match((await runCli([...args, "-d", "@-"])).stderr, /the input of -d is empty/);
    assert.match((await runCli([...args, "-d", "id=1", "-d", "{}"])).stderr, /cannot mix assignments and JSON in -d/);
  });

  it("says what to do where a server has no reflection, and takes a descriptor set instead", async (t) => {
    const { target } = await startLibrary(t, { hasReflection: false });
    const args = ["call", "LibraryService/GetBook", "-d", "id=7", "--target", target];
    const refused = await runCli(args);
    assert.equal(refused.exitCode, 76);
    assert.match(
      refused.stderr,
      /does not serve reflection, so its schema is unknown\nhint: name the \.proto file with --proto/,
    );

    const folder = folderFor(t);
    const set = join(folder, "library.binpb");
    succeeded(await runCli(["generate", "--check", "--descriptor-out", set], { cwd: import.meta.dirname }));
    assert.match(succeeded(await runCli([...args, "--descriptor-set", set])).stdout, /Middlemarch/);
    writeFileSync(set, "no descriptors");
    const broken = await runCli([...args, "--descriptor-set", set]);
    assert.equal(broken.exitCode, 4);
    assert.match(broken.stderr, /library\.binpb is not a complete FileDescriptorSet/);
  });

  it("takes the schema from .proto files", async (t) => {
    const { target } = await startLibrary(t, { hasReflection: false });
    const proto = "proto/tercel/cli/test/v1/library.proto";
    const args = ["call", "LibraryService/GetBook", "-d", "id=7", "--target", target];
    const options = { cwd: import.meta.dirname };
    assert.match(succeeded(await runCli([...args, "--proto", proto], options)).stdout, /Middlemarch/);
    const inFolder = ["--proto", "tercel/cli/test/v1/library.proto", "-I", "proto"];
    assert.match(succeeded(await runCli([...args, ...inFolder], options)).stdout, /Middlemarch/);
    const missing = await runCli([...args, "--proto", "none.proto"], options);
    assert.deepEqual([missing.exitCode, missing.stderr], [2, "error: cannot read --proto none.proto: no such file\n"]);
  });

  it("saves a call without its secrets, and makes it again", async (t) => {
    const server = await startLibrary(t);
    const cwd = folderFor(t);
    const options = { cwd, env: { TOKEN: "abc", AUTHORIZATION: "Bearer other" } };
    const headers = ["-H", `authorization: Bearer \${TOKEN}`, "-H", "x-tenant: acme"];
    const args = ["call", "LibraryService/GetBook", "-d", "id=7", "--target", server.target, "--deadline", "5s"];
    succeeded(await runCli([...args, ...headers, "--save", "book.yaml"], options));
    assert.equal(
      readFileSync(join(cwd, "book.yaml"), "utf8"),
      `version: 1\nmethod: ${service}/GetBook\ntarget: ${server.target}\nheaders:\n  authorization: \${AUTHORIZATION}\n  x-tenant: acme\ndeadline: 5s\ndata:\n  id: "7"\n`,
    );
    assert.match(succeeded(await runCli(["call", "--from", "book.yaml"], options)).stdout, /"id": "7"/);
    assert.equal(server.lastHeaders().get("authorization"), "Bearer other");
    assert.match(
      succeeded(await runCli(["call", "--from", "book.yaml", "-d", "id=8", "-H", "x-tenant: b"], options)).stdout,
      /"id": "8"/,
    );
    assert.equal(server.lastHeaders().get("x-tenant"), "b");
  });

  it("names the place of what is wrong in a saved request", async (t) => {
    const { target } = await startLibrary(t);
    const cwd = folderFor(t);
    const from = async (yaml: string): Promise<string> => {
      writeFileSync(join(cwd, "r.yaml"), yaml);
      const run = await runCli(["call", "--from", "r.yaml", "--target", target], { cwd });
      assert.notEqual(run.exitCode, 0);
      return run.stderr.split("\n")[0] ?? "";
    };
    assert.equal(await from("methd: a/b\n"), 'error: r.yaml:1:1: unknown key "methd"; did you mean "method"?');
    assert.equal(await from("version: 2\n"), "error: r.yaml:1:10: unsupported version 2: expected 1");
    assert.equal(
      await from("- a\n"),
      "error: r.yaml:1:1: invalid saved request: expected a map with the keys method and data",
    );
    assert.match(await from("a: [\n"), /^error: r\.yaml:\d+:\d+: /);
    assert.equal(
      await from(`method: ${service}/GetBook\ndata:\n  id: 7\n  tittle: x\n`),
      "error: r.yaml:3:7: invalid id: expected string, got 7",
    );
    assert.equal(await from("data: {}\n"), "error: missing method");
  });

  it("ends with 130 at Ctrl-C", async (t) => {
    const over = createOccasion();
    const called = createOccasion();
    const { Stopped } = await import("../src/frame/stop-signals.ts");
    const { target } = await startLibrary(t, {
      onGetBook: () => {
        called.happen();
        return over.happened;
      },
    });
    const controller = new AbortController();
    const run = runCli(["call", "LibraryService/GetBook", "-d", "id=7", "--target", target], {
      signal: controller.signal,
    });
    await called.happened;
    controller.abort(new Stopped(130));
    const { exitCode, stderr } = await run;
    over.happen();
    assert.deepEqual([exitCode, stderr], [130, "error: interrupted\n"]);
  });

  it("speaks TLS, and refuses a certificate that it was not told to trust", { skip: withoutOpenssl }, async (t) => {
    const { key, cert } = createSelfSigned();
    const { target } = await startLibrary(t, { tls: { key, cert } });
    const cwd = folderFor(t);
    writeFileSync(join(cwd, "ca.pem"), cert);
    const port = target.split(":").at(-1);
    const args = ["call", "LibraryService/GetBook", "-d", "id=7", "--target", `localhost:${port}`];
    assert.equal((await runCli([...args, "--tls"], { cwd })).exitCode, 7);
    assert.match(succeeded(await runCli([...args, "--tls-ca", "ca.pem"], { cwd })).stdout, /Middlemarch/);
    assert.match(succeeded(await runCli([...args, "--tls-skip-verify"], { cwd })).stdout, /Middlemarch/);
    const half = await runCli([...args, "--tls-cert", "ca.pem"], { cwd });
    assert.deepEqual([half.exitCode, half.stderr], [2, "error: --tls-cert needs --tls-key\n"]);
  });
});
