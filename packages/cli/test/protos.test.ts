// What works on .proto files: generate, lint, breaking.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createOccasion } from "@tercel/test-support/async";
import { type CliRun, runCli } from "./run-cli.ts";

const root = resolve(import.meta.dirname, "../../..");

/** A project with a service, as someone has it who installed buf. */
function createProject(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-project-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const all = { "buf.yaml": "version: v2\nmodules:\n  - path: proto\n", "proto/pet/v1/pet.proto": petProto, ...files };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

const petProto = `syntax = "proto3";
package pet.v1;
service PetService {
  rpc GetPet(GetPetRequest) returns (GetPetResponse);
}
message GetPetRequest {
  string id = 1;
}
message GetPetResponse {
  string name = 1;
}
`;

function change(folder: string, file: string, from: string, to: string): void {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  assert.ok(text.includes(from), `${file} does not hold ${from}`);
  writeFileSync(path, text.replace(from, to));
}

function succeeded(run: CliRun): CliRun {
  assert.equal(run.exitCode, 0, run.stderr);
  return run;
}

describe("tercel generate", () => {
  const committed = globSync("{packages,examples,apps,verification}/**/buf.gen.yaml", {
    cwd: root,
    exclude: (name) => name.endsWith("node_modules"),
  });
  for (const file of committed) {
    // Its Go and other plugins are installed for the bench alone.
    if (file === "verification/bench/buf.gen.yaml") continue;
    it(`writes what buf and protoc-gen-es write, letter by letter (${dirname(file)})`, async () => {
      succeeded(await runCli(["generate", dirname(file), "--check"], { cwd: root }));
    });
  }

  it("writes TypeScript into gen/ where no buf.gen.yaml is, and writes nothing twice", async (t) => {
    const cwd = createProject(t);
    const first = succeeded(await runCli(["generate"], { cwd }));
    assert.match(first.stderr, /^ {2}new: gen\/pet\/v1\/pet_pb\.ts\n1 file generated, 1 changed \(/);
    assert.match(readFileSync(join(cwd, "gen/pet/v1/pet_pb.ts"), "utf8"), /export const PetService: GenService/);
    assert.match(succeeded(await runCli(["generate"], { cwd })).stderr, /^1 file generated, nothing changed/);
  });

  it("finds each file that is not up to date, and exits with 8", async (t) => {
    const cwd = createProject(t);
    const before = await runCli(["generate", "--check"], { cwd });
    assert.deepEqual(
      [before.exitCode, before.stderr],
      [
        8,
        "error: generated files are out of date\n  missing: gen/pet/v1/pet_pb.ts\nhint: run tercel generate and commit the result\n",
      ],
    );
    assert.equal(existsSync(join(cwd, "gen")), false);
    succeeded(await runCli(["generate"], { cwd }));
    succeeded(await runCli(["generate", "--check"], { cwd }));
    writeFileSync(join(cwd, "gen/old.ts"), "");
    change(cwd, "gen/pet/v1/pet_pb.ts", "PetService", "PatService");
    const after = await runCli(["generate", "--check"], { cwd });
    assert.equal(after.exitCode, 8);
    assert.match(after.stderr, / {2}out of date: gen\/pet\/v1\/pet_pb\.ts\n {2}no longer generated: gen\/old\.ts\n/);
    succeeded(await runCli(["generate"], { cwd }));
    assert.equal(existsSync(join(cwd, "gen/old.ts")), false);
  });

  it("lets protos import what comes with Tercel, together, and imports its code from the packages", async (t) => {
    const cwd = createProject(t, {
      "proto/pet/v1/pet.proto": petProto
        .replace(
          "package pet.v1;",
          'package pet.v1;\nimport "google/rpc/status.proto";\nimport "tercel/auth/v1/auth.proto";\nimport "validate/validate.proto";',
        )
        .replace("string id = 1;", "string id = 1 [(validate.rules).string.min_len = 1];")
        .replace("string name = 1;", "google.rpc.Status status = 1;"),
    });
    succeeded(await runCli(["generate"], { cwd }));
    const code = readFileSync(join(cwd, "gen/pet/v1/pet_pb.ts"), "utf8");
    assert.match(code, /from "@tercel\/interceptors\/gen\/validate\/validate_pb\.js"/);
    assert.match(code, /from "\.\.\/\.\.\/google\/rpc\/status_pb\.ts"/);
    assert.ok(existsSync(join(cwd, "gen/google/rpc/status_pb.ts")));
    assert.ok(!existsSync(join(cwd, "gen/validate")));
  });

  it("says where each mistake is, and what was probably meant", async (t) => {
    const cwd = createProject(t);
    change(cwd, "proto/pet/v1/pet.proto", "(GetPetRequest)", "(GetPetReqest)");
    const typo = await runCli(["generate"], { cwd });
    assert.deepEqual(
      [typo.exitCode, typo.stderr],
      [
        4,
        "error: proto/pet/v1/pet.proto:4:14: cannot find `GetPetReqest` in this scope; did you mean GetPetRequest?\n",
      ],
    );
    change(cwd, "proto/pet/v1/pet.proto", "package pet.v1;", 'package pet.v1;\nimport "validate/valdate.proto";');
    const missing = await runCli(["generate"], { cwd, env: {} });
    assert.match(
      missing.stderr,
      /^error: proto\/pet\/v1\/pet\.proto:3:1: imported file does not exist; did you mean validate\/validate\.proto\?$/m,
    );
    const json = await runCli(["lint"], { cwd });
    assert.equal(json.exitCode, 4);
  });

  it("says the place of a mistake where shipped protos are imported too, whose folder is another", async (t) => {
    const cwd = createProject(t);
    change(cwd, "proto/pet/v1/pet.proto", "package pet.v1;", 'package pet.v1;\nimport "validate/validate.proto";');
    change(cwd, "proto/pet/v1/pet.proto", "string id = 1;", "strin id = 1;");
    const run = await runCli(["generate"], { cwd });
    assert.equal(run.exitCode, 4);
    assert.match(run.stderr, /^error: proto\/pet\/v1\/pet\.proto:8:3: /);
  });

  it("does what buf.gen.yaml says: its folder, its options, other plugins", async (t) => {
    const cwd = createProject(t, {
      "buf.gen.yaml": `version: v2
plugins:
  - local: protoc-gen-es
    out: src/gen
    opt: [target=js+dts]
  - local: [node, plugin.mjs]
    out: other
    opt: a=b
`,
      "plugin.mjs": `
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { buffer } from "node:stream/consumers";
const { parameter, fileToGenerate } = fromBinary(CodeGeneratorRequestSchema, await buffer(process.stdin));
const file = [{ name: "seen.txt", content: parameter + " " + fileToGenerate.join() }];
process.stdout.write(toBinary(CodeGeneratorResponseSchema, create(CodeGeneratorResponseSchema, { file })));
`,
    });
    succeeded(await runCli(["generate"], { cwd }));
    assert.ok(existsSync(join(cwd, "src/gen/pet/v1/pet_pb.js")));
    assert.ok(existsSync(join(cwd, "src/gen/pet/v1/pet_pb.d.ts")));
    assert.equal(readFileSync(join(cwd, "other/seen.txt"), "utf8"), "a=b pet/v1/pet.proto");
  });

  it("names what is wrong in buf.gen.yaml", async (t) => {
    const fail = async (yaml: string): Promise<string> => {
      const cwd = createProject(t, { "buf.gen.yaml": yaml });
      const { exitCode, stderr } = await runCli(["generate"], { cwd });
      assert.notEqual(exitCode, 0);
      return stderr.split("\n")[0] ?? "";
    };
    assert.equal(
      await fail("version: v1\n"),
      'error: buf.gen.yaml:1:10: unsupported version "v1": expected v2; run buf config migrate',
    );
    assert.equal(
      await fail("version: v2\nplugin: []\n"),
      'error: buf.gen.yaml:2:1: tercel generate does not support "plugin"; did you mean plugins?',
    );
    assert.equal(await fail("version: v2\n"), "error: buf.gen.yaml:1:1: no plugins: add at least protoc-gen-es");
    assert.equal(
      await fail("version: v2\nplugins:\n  - out: gen\n"),
      "error: buf.gen.yaml:3:5: plugin without local, the name of its program",
    );
    assert.equal(
      await fail("version: v2\nplugins:\n  - local: protoc-gen-none\n    out: gen\n"),
      "error: plugin protoc-gen-none of buf.gen.yaml is not installed",
    );
    assert.equal(
      await fail("version: v2\nplugins:\n  - local: protoc-gen-es\n    out: gen\n    opt: target=go\n"),
      'error: protoc-gen-es: invalid option "target=go"',
    );
  });

  it("generates from a descriptor set without buf, and writes one", async (t) => {
    const cwd = createProject(t);
    succeeded(await runCli(["generate", "--descriptor-out", "pets.binpb"], { cwd }));
    const code = readFileSync(join(cwd, "gen/pet/v1/pet_pb.ts"), "utf8");
    const alone = mkdtempSync(join(tmpdir(), "tercel-alone-"));
    t.after(() => rmSync(alone, { recursive: true, force: true }));
    cpSync(join(cwd, "pets.binpb"), join(alone, "pets.binpb"));
    succeeded(await runCli(["generate", "--descriptor-in", "pets.binpb"], { cwd: alone, env: { PATH: "" } }));
    assert.equal(readFileSync(join(alone, "gen/pet/v1/pet_pb.ts"), "utf8"), code);
    const refused = await runCli(["generate"], { cwd: alone, env: { PATH: "" } });
    assert.deepEqual(
      [refused.exitCode, refused.stderr],
      [1, "error: buf is not installed; it compiles .proto files\nhint: npm install -D @bufbuild/buf\n"],
    );
  });

  it("generates again after a change, and keeps watching after a mistake", async (t) => {
    const cwd = createProject(t);
    const controller = new AbortController();
    const { Stopped } = await import("../src/frame/stop-signals.ts");
    const steps = [createOccasion(), createOccasion(), createOccasion()];
    let step = 0;
    const run = runCli(["generate", "--watch"], {
      cwd,
      signal: controller.signal,
      onStderr: (text) => {
        if (/generated|^error/.test(text)) steps[step++]?.happen();
      },
    });
    await steps[0]?.happened;
    change(cwd, "proto/pet/v1/pet.proto", "string name = 1;", "strin name = 1;");
    await steps[1]?.happened;
    change(cwd, "proto/pet/v1/pet.proto", "strin name = 1;", "string name = 1;\n  int32 age = 2;");
    await steps[2]?.happened;
    controller.abort(new Stopped(130));
    const { exitCode, stderr } = await run;
    assert.equal(exitCode, 130, stderr);
    assert.match(readFileSync(join(cwd, "gen/pet/v1/pet_pb.ts"), "utf8"), /int32 age = 2/);
  });
});

describe("tercel lint", () => {
  it("names the broken rules with their places, and passes what keeps them", async (t) => {
    const cwd = createProject(t);
    succeeded(await runCli(["lint"], { cwd }));
    change(cwd, "proto/pet/v1/pet.proto", "service PetService", "service Pets");
    const run = await runCli(["lint"], { cwd });
    assert.equal(run.exitCode, 3);
    assert.match(run.stderr, /^error: proto\/pet\/v1\/pet\.proto:3:9: .* \(SERVICE_SUFFIX\)$/m);
  });

  it("leaves protos that come with Tercel alone, and keeps what buf.yaml ignores", async (t) => {
    const cwd = createProject(t, {
      "buf.yaml": "version: v2\nmodules:\n  - path: proto\nlint:\n  ignore: [proto/pet]\n",
      "proto/pet/v1/pet.proto": petProto
        .replace("package pet.v1;", 'package pet.v1;\nimport "validate/validate.proto";')
        .replace("string id = 1;", "string id = 1 [(validate.rules).string.min_len = 1];")
        .replace("service PetService", "service Pets"),
    });
    succeeded(await runCli(["lint"], { cwd }));
  });
});

describe("tercel breaking", () => {
  function commit(folder: string): void {
    const git = (...args: string[]): void =>
      void execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...args], {
        cwd: folder,
        stdio: "pipe",
      });
    writeFileSync(join(folder, ".gitignore"), "node_modules\n");
    git("init", "--quiet", "--initial-branch=main");
    git("add", ".");
    git("commit", "--quiet", "--message", "state");
  }

  it("compares with a commit, and exits with 3 when a change breaks callers", async (t) => {
    const cwd = createProject(t);
    commit(cwd);
    change(cwd, "proto/pet/v1/pet.proto", "string name = 1;", "string name = 1;\n  int32 age = 2;");
    succeeded(await runCli(["breaking", "--against", "main"], { cwd }));
    change(cwd, "proto/pet/v1/pet.proto", "string id = 1;", "int32 id = 1;");
    const run = await runCli(["breaking", "--against", "main"], { cwd });
    assert.equal(run.exitCode, 3);
    assert.match(run.stderr, /^error: proto\/pet\/v1\/pet\.proto:7:3: .*FIELD_SAME_TYPE/m);
  });

  it("compares with a descriptor set", async (t) => {
    const cwd = createProject(t);
    succeeded(await runCli(["generate", "--descriptor-out", "before.binpb"], { cwd }));
    succeeded(await runCli(["breaking", "--against", "before.binpb"], { cwd }));
    change(cwd, "proto/pet/v1/pet.proto", "  string name = 1;\n", "");
    assert.equal((await runCli(["breaking", "--against", "before.binpb"], { cwd })).exitCode, 3);
  });

  it("refuses a state that is neither a file nor a commit", async (t) => {
    const cwd = createProject(t);
    commit(cwd);
    const run = await runCli(["breaking", "--against", "nowhere"], { cwd });
    assert.equal(run.exitCode, 2);
    assert.match(run.stderr, /^error: invalid --against "nowhere": neither a file nor a commit that contains /);
  });
});
