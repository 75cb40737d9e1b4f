// Protos that no one here wrote go through generate, --stubs, describe and call: one with more than 300 messages, etcd's with its real server, proto2
// and editions.
// Long: it generates, compiles and describes protos of hundreds of messages.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { DescMessage, DescService, FileRegistry } from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { createServer } from "@tercel/grpc";
import { createEtcdServer, withoutEtcd } from "@tercel/test-support/servers";
import { tsconfigFile } from "../src/new/templates/project-files.ts";
import { folderWithPackages, root, typeCheck, writeFiles } from "./new-projects.ts";
import { type CliRun, runCli } from "./run-cli.ts";

/** Where the files of an import path are: `google/` in a package of npm, `gogoproto/` in a Go module. */
type Roots = Readonly<Record<string, string>>;

function succeeded(run: CliRun): CliRun {
  assert.equal(run.exitCode, 0, run.stderr);
  return run;
}

/** The folder of a Go module that is in the module cache, or undefined. Nothing is downloaded. */
function goModule(folder: string, name: string): string | undefined {
  try {
    const env = { ...process.env, GOFLAGS: "-mod=mod", GOPROXY: "off", GOTOOLCHAIN: "local" };
    const found = execFileSync("go", ["list", "-m", "-f", "{{.Dir}}", name], {
      cwd: join(root, folder),
      encoding: "utf8",
      env,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    return found === "" ? undefined : found;
  } catch {
    return undefined;
  }
}

/** A project with a file and all that it imports, apart from what the compiler and Tercel bring along. */
function createProject(
  t: TestContext,
  roots: Roots,
  names: readonly string[],
  more: Readonly<Record<string, string>> = {},
): string {
  const folder = folderWithPackages(t);
  const pending = [...names];
  const copied = new Set<string>();
  for (const name of pending) {
    const [prefix, from] = Object.entries(roots).find(([start]) => name.startsWith(start)) ?? [];
    if (copied.has(name) || prefix === undefined || from === undefined) continue;
    const source = join(from, name.slice(prefix.length));
    if (!existsSync(source)) continue;
    copied.add(name);
    const text = readFileSync(source, "utf8");
    mkdirSync(dirname(join(folder, "proto", name)), { recursive: true });
    writeFileSync(join(folder, "proto", name), text);
    pending.push(...[...text.matchAll(/^\s*import\s+(?:public\s+)?"(.+)";/gm)].map(([, imported = ""]) => imported));
  }
  const settings = {
    "buf.yaml": "version: v2\nmodules:\n  - path: proto\n",
    "package.json": '{ "type": "module" }\n',
    "tsconfig.json": tsconfigFile(),
  };
  writeFiles(folder, new Map(Object.entries({ ...settings, ...more })));
  return folder;
}

/** Generates everything, twice, and handlers of all services, whose types fit. */
async function generates(cwd: string): Promise<FileRegistry> {
  succeeded(await runCli(["generate", "--descriptor-out", "all.binpb"], { cwd }));
  succeeded(await runCli(["generate", "--check"], { cwd }));
  const { stderr } = succeeded(await runCli(["generate", "--stubs"], { cwd }));
  assert.match(stderr, /^\d+ stubs? written$/m);
  assert.match(succeeded(await runCli(["generate", "--stubs"], { cwd })).stderr, /^no stub written$/m);
  assert.deepEqual(typeCheck(cwd), { exitCode: 0, output: "" });
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(join(cwd, "all.binpb"))));
}

/** Serves a service with handlers that take and return plain objects. */
async function serve(t: TestContext, service: DescService, handlers: Record<string, unknown>): Promise<string> {
  const server = createServer({
    routes: (router) => void router.service(service, handlers as Partial<ServiceImpl<DescService>>),
  });
  const { host, port } = await server.listen({ port: 0 });
  t.after(() => server.close({ deadlineMs: 0 }));
  return `${host}:${port}`;
}

const schema = (file: string): string[] => ["--proto", `proto/${file}`, "-I", "proto"];

describe("protos of others", () => {
  it("from google-proto-files: a service with more than 300 messages", async (t) => {
    const file = "google/privacy/dlp/v2/dlp.proto";
    const cwd = createProject(t, { "google/": join(root, "node_modules/google-proto-files/google") }, [file]);
    const registry = await generates(cwd);
    const service = registry.getService("google.privacy.dlp.v2.DlpService");
    assert.ok(service !== undefined);
    const withNested = (messages: readonly DescMessage[]): number =>
      messages.reduce((sum, { nestedMessages }) => sum + 1 + withNested(nestedMessages), 0);
    assert.ok(withNested(registry.getFile(file)?.messages ?? []) > 300);

    const declared = succeeded(await runCli(["describe", "DlpService", ...schema(file)], { cwd })).stdout;
    assert.equal(declared.match(/^ {2}rpc /gm)?.length, service.methods.length);
    const template = succeeded(
      await runCli(["describe", "google.privacy.dlp.v2.InspectConfig", "--template", ...schema(file)], { cwd }),
    );
    assert.ok("infoTypes" in JSON.parse(template.stdout));

    const target = await serve(t, service, {
      listInfoTypes: ({ filter }: { filter: string }) => ({ infoTypes: [{ name: "EMAIL", displayName: filter }] }),
    });
    const listed = await runCli(
      ["call", "DlpService/ListInfoTypes", "-d", "filter=x", "--target", target, ...schema(file)],
      { cwd },
    );
    assert.deepEqual(JSON.parse(succeeded(listed).stdout), { infoTypes: [{ name: "EMAIL", displayName: "x" }] });

    // The handlers that were written are there, and say what they are.
    const { createDlpService } = await import(pathToFileURL(join(cwd, "src/dlp-service.ts")).href);
    const { DlpService } = await import(pathToFileURL(join(cwd, "gen/google/privacy/dlp/v2/dlp_pb.ts")).href);
    const stubs = await serve(t, DlpService, createDlpService());
    const refused = await runCli(["call", "DlpService/InspectContent", "--target", stubs, ...schema(file)], { cwd });
    assert.equal(refused.exitCode, 76);
    assert.match(refused.stderr, /^error: UNIMPLEMENTED: InspectContent is not implemented$/m);
  });

  it("straight from the folder of the package, which has thousands of files", async () => {
    const folder = join(root, "node_modules/google-proto-files");
    const args = ["--proto", "google/privacy/dlp/v2/dlp.proto", "-I", "."];
    const { stdout } = succeeded(await runCli(["list", "DlpService", "-o", "name", ...args], { cwd: folder }));
    assert.ok(stdout.split("\n").includes("google.privacy.dlp.v2.DlpService/InspectContent"));
  });

  const etcd = goModule("packages/discovery/test/consul", "github.com/coreos/etcd");
  const gogo = goModule("packages/discovery/test/consul", "github.com/gogo/protobuf");
  const withoutEtcdModule =
    (etcd === undefined || gogo === undefined) &&
    "github.com/coreos/etcd is not in the Go module cache; building Consul, as .ci/run does, puts it there";

  it("of etcd, from its Go module, against its real server", { skip: withoutEtcdModule || withoutEtcd }, async (t) => {
    const file = "etcd/etcdserver/etcdserverpb/rpc.proto";
    const roots = { "etcd/": etcd ?? "", "gogoproto/": join(gogo ?? "", "gogoproto") };
    const cwd = createProject(t, roots, [file]);
    const registry = await generates(cwd);
    assert.deepEqual(
      registry.getFile(file)?.services.map(({ name }) => name),
      ["KV", "Watch", "Lease", "Cluster", "Maintenance", "Auth"],
    );
    assert.match(readFileSync(join(cwd, "src/kv.ts"), "utf8"), /^ {4}async deleteRange\(\) \{$/m);
    assert.match(
      succeeded(await runCli(["describe", "etcdserverpb.RangeRequest", ...schema(file)], { cwd })).stdout,
      /^ {2}bytes range_end = 2;$/m,
    );

    const server = await createEtcdServer();
    t.after(() => server.dispose());
    await server.start();
    const call = async (method: string, data: string): Promise<unknown> => {
      const args = ["call", `etcdserverpb.${method}`, "-d", data, "--target", server.target, ...schema(file)];
      return JSON.parse(succeeded(await runCli(args, { cwd })).stdout);
    };
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    await call("KV/Put", JSON.stringify({ key: base64("tercel"), value: base64("falcon") }));
    const found = (await call("KV/Range", JSON.stringify({ key: base64("tercel") }))) as {
      kvs: { value: string }[];
      count: string;
    };
    assert.deepEqual([found.count, found.kvs[0]?.value], ["1", base64("falcon")]);
    const wrong = await runCli(
      ["call", "etcdserverpb.KV/Range", "-d", '{"kee": "x"}', "--target", server.target, ...schema(file)],
      { cwd },
    );
    assert.match(wrong.stderr, /^error: -d:1:2: unknown field "kee"; did you mean "key"\?$/m);
  });

  /** What a message of another file is called with: a service of the test's own over it. */
  const echo = (imported: string, message: string): string =>
    `syntax = "proto3";\npackage echo.v1;\nimport "${imported}";\nservice EchoService {\n  rpc Echo(${message}) returns (${message});\n}\n`;

  it("of proto2: required fields, groups, defaults, extensions", async (t) => {
    const imported = "google/protobuf/util/json_format.proto";
    const file = "echo/v1/echo.proto";
    const roots = { "google/": join(root, "node_modules/google-proto-files/google") };
    const message = "proto2_unittest.TestFlagsAndStrings";
    const cwd = createProject(t, roots, [imported], { [`proto/${file}`]: echo(imported, message) });
    assert.match(readFileSync(join(cwd, "proto", imported), "utf8"), /^syntax = "proto2";$/m);
    const registry = await generates(cwd);
    const service = registry.getService("echo.v1.EchoService");
    assert.ok(service !== undefined);
    const described = async (symbol: string): Promise<string> =>
      succeeded(await runCli(["describe", symbol, ...schema(file)], { cwd })).stdout;
    assert.match(await described(message), /^ {2}required int32 A = 1;$/m);
    assert.match(
      await described("proto2_unittest.TestDefaultEnumValue"),
      /^ {2}optional proto2_unittest\.EnumValue enum_value = 1 \[default = 2\];$/m,
    );
    const target = await serve(t, service, { echo: (request: unknown) => request });
    const sent = { A: 7, repeatedgroup: [{ f: "x" }, { f: "y" }] };
    const args = ["call", "EchoService/Echo", "--target", target, ...schema(file), "-d"];
    const run = await runCli([...args, JSON.stringify(sent)], { cwd });
    assert.deepEqual(JSON.parse(succeeded(run).stdout), sent);
    const incomplete = await runCli([...args, "{}"], { cwd });
    assert.notEqual(incomplete.exitCode, 0);
    assert.match(incomplete.stderr, /TestFlagsAndStrings\.A.*required/);
  });

  const protobuf = goModule("packages/test-support/peers/grpc-go", "google.golang.org/protobuf");
  const withoutProtobuf =
    protobuf === undefined &&
    "google.golang.org/protobuf is not in the Go module cache; building the Go peer puts it there";

  it("of an edition: delimited messages, presence of its own", { skip: withoutProtobuf }, async (t) => {
    const imported = "internal/testprotos/testeditions/test.proto";
    const message = "goproto.proto.testeditions.TestAllTypes";
    const cwd = createProject(t, { "internal/": join(protobuf ?? "", "internal") }, [imported], {
      "proto/echo/v1/echo.proto": echo(imported, message),
    });
    assert.match(readFileSync(join(cwd, "proto", imported), "utf8"), /^edition = "2023";$/m);
    const registry = await generates(cwd);
    const service = registry.getService("echo.v1.EchoService");
    assert.ok(service !== undefined);
    const file = "echo/v1/echo.proto";
    assert.match(
      succeeded(await runCli(["describe", message, ...schema(file)], { cwd })).stdout,
      /^ {2}int32 singular_int32 = 124;$[\s\S]*^ {2}optional int32 optional_int32 = 1;$/m,
    );
    const target = await serve(t, service, { echo: (request: unknown) => request });
    const sent = { singularInt32: 7, optionalInt32: 0, optionalgroup: { a: 17 }, repeatedInt64: ["1", "2"] };
    const run = await runCli(
      ["call", "EchoService/Echo", "-d", JSON.stringify(sent), "--target", target, ...schema(file)],
      { cwd },
    );
    assert.deepEqual(JSON.parse(succeeded(run).stdout), sent);
  });
});
