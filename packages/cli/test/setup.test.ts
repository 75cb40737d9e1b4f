// What is needed around calls: token, doctor, completion.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, hkdfSync, randomBytes, verify } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { freePorts } from "@tercel/test-support/servers";
import { checkNode } from "../src/doctor/check-project.ts";
import { checkRecord } from "../src/doctor/check-record.ts";
import { ownVersion } from "../src/version.ts";
import { startLibrary } from "./library-server.ts";
import { runCli } from "./run-cli.ts";

const root = resolve(import.meta.dirname, "../../..");

function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-setup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

interface Token {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

function parseToken(text: string): Token {
  const [header = "", claims = "", signature = ""] = text.trim().split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  return {
    header: read(header),
    claims: read(claims),
    signed: Buffer.from(`${header}.${claims}`),
    signature: Buffer.from(signature, "base64url"),
  };
}

describe("tercel token", () => {
  it("signs with a secret, and says what it was told", async (t) => {
    const secret = randomBytes(32);
    const cwd = folderWith(t, { "dev.key": `${secret.toString("base64")}\n` });
    const args = [
      "--subject",
      "u1",
      "--role",
      "admin",
      "--role",
      "user",
      "--scope",
      "read",
      "--audience",
      "users",
      "--key-id",
      "dev",
    ];
    const run = await runCli(["token", "--key-file", "dev.key", "--minutes", "5", ...args], { cwd });
    assert.equal(run.exitCode, 0, run.stderr);
    const { header, claims, signed, signature } = parseToken(run.stdout);
    assert.deepEqual(header, { alg: "HS256", typ: "JWT", kid: "dev" });
    const { iat, exp, ...said } = claims;
    assert.deepEqual(said, {
      iss: "tercel-development",
      sub: "u1",
      aud: ["users"],
      roles: ["admin", "user"],
      scope: "read",
    });
    assert.equal(Number(exp) - Number(iat), 300);
    assert.deepEqual(signature, createHmac("sha256", secret).update(signed).digest());
  });

  for (const { algorithm, hash, key } of [
    { algorithm: "ES256", hash: "sha256", key: generateKeyPairSync("ec", { namedCurve: "P-256" }) },
    { algorithm: "ES384", hash: "sha384", key: generateKeyPairSync("ec", { namedCurve: "P-384" }) },
    { algorithm: "EdDSA", hash: null, key: generateKeyPairSync("ed25519") },
    { algorithm: "RS256", hash: "sha256", key: generateKeyPairSync("rsa", { modulusLength: 2048 }) },
  ]) {
    it(`signs with a private key (${algorithm})`, async (t) => {
      const pem = key.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
      const cwd = folderWith(t, { "dev.pem": pem });
      const run = await runCli(["token"], { cwd, env: { TERCEL_TOKEN_KEY_FILE: "dev.pem" } });
      assert.equal(run.exitCode, 0, run.stderr);
      const { header, signed, signature } = parseToken(run.stdout);
      assert.equal(header.alg, algorithm);
      assert.ok(verify(hash, signed, { key: key.publicKey, dsaEncoding: "ieee-p1363" }, signature));
    });
  }

  it("signs without a file for all services of the folder, as tercel dev runs them", async (t) => {
    const cwd = folderWith(t, {
      "tercel.yaml": "services: [users, orders]\n",
      "users/main.ts": "",
      "users/config.yaml": "service:\n  name: user-service\n",
      "orders/main.ts": "",
      "orders/config.yaml": "service:\n  name: order-service\n",
    });
    const [one, other] = [await runCli(["token", "--role", "admin"], { cwd }), await runCli(["token"], { cwd })];
    assert.equal(one.exitCode, 0, one.stderr);
    const { header, claims, signed, signature } = parseToken(one.stdout);
    assert.deepEqual(header, { alg: "HS256", typ: "JWT", kid: "development" });
    assert.deepEqual([claims.iss, claims.aud], ["tercel-development", ["user-service", "order-service"]]);
    const file = join(cwd, ".tercel/secret");
    assert.equal(statSync(file).mode & 0o077, 0);
    assert.equal(statSync(join(cwd, ".tercel")).mode & 0o077, 0);
    const key = hkdfSync("sha256", readFileSync(file, "utf8").trim(), "", "tercel development tokens", 32);
    assert.deepEqual(signature, createHmac("sha256", new Uint8Array(key)).update(signed).digest());
    // The secret is made once.
    const again = parseToken(other.stdout);
    assert.deepEqual(again.signature, createHmac("sha256", new Uint8Array(key)).update(again.signed).digest());
  });

  it("refuses keys that are too weak or none, and shows nothing of them", async (t) => {
    const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    });
    const cwd = folderWith(t, {
      "short.key": randomBytes(31).toString("base64"),
      "small.pem": small as string,
      "broken.pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    });
    for (const [file, text] of [
      ["short.key", /secret in short\.key is too short: 31 bytes; expected at least 32/],
      ["small.pem", /unsupported key type in small\.pem\nhint: use RSA of at least 2048 bits/],
      ["broken.pem", /broken\.pem is not a private key: /],
    ] as const) {
      const run = await runCli(["token", "--key-file", file], { cwd });
      assert.equal(run.exitCode, 2);
      assert.match(run.stderr, text);
    }
    for (const minutes of ["0", "10081", "1.5", "soon"]) {
      assert.match(
        (await runCli(["token", "--key-file", "short.key", "--minutes", minutes], { cwd })).stderr,
        /expected a whole number from 1 to 10080/,
      );
    }
  });
});

describe("tercel doctor", () => {
  it("knows the oldest Node, to the minor version", () => {
    const outcomes = ["v22.18.0", "v24.0.0", "v22.17.9", "v20.19.0"].map((version) => checkNode(version).outcome);
    assert.deepEqual(outcomes, ["ok", "ok", "failure", "failure"]);
  });

  it("finds what is wrong with a project, and says what to do", async (t) => {
    const cwd = folderWith(t, {
      "package.json": JSON.stringify({
        name: "pets",
        dependencies: { "@tercel/grpc": "1", "@tercel/discovery": "1", "@tercel/none": "1" },
      }),
      "node_modules/@tercel/grpc/package.json": JSON.stringify({ version: "0.1.0" }),
      "node_modules/@tercel/discovery/package.json": JSON.stringify({ version: "0.2.0" }),
    });
    const run = await runCli(["doctor", "-o", "json"], { cwd });
    assert.equal(run.exitCode, 3);
    const { findings } = JSON.parse(run.stdout);
    assert.deepEqual(findings.slice(1), [
      {
        check: "package.json",
        outcome: "failure",
        text: '"type" is not "module", which Tercel requires',
        fix: "npm pkg set type=module",
      },
      { check: "packages", outcome: "failure", text: "not installed: @tercel/none", fix: "npm install" },
    ]);
    writeFileSync(
      join(cwd, "package.json"),
      JSON.stringify({ name: "pets", type: "module", dependencies: { "@tercel/grpc": "1", "@tercel/discovery": "1" } }),
    );
    const table = await runCli(["doctor"], { cwd });
    assert.match(
      table.stdout,
      /^packages +failure +different versions: @tercel\/grpc 0\.1\.0, @tercel\/discovery 0\.2\.0: use the same/m,
    );
  });

  it("finds a second copy of what packages share", async (t) => {
    const cwd = folderWith(t, {
      "package.json": JSON.stringify({ name: "pets", type: "module", dependencies: { "@tercel/grpc": "1" } }),
      "node_modules/@tercel/grpc/package.json": JSON.stringify({ version: "0.1.0" }),
      "node_modules/@tercel/grpc/node_modules/@connectrpc/connect/package.json": "{}",
      "node_modules/@connectrpc/connect/package.json": "{}",
    });
    const { stdout, stderr } = await runCli(["doctor"], { cwd });
    assert.match(stdout, /^@connectrpc\/connect +failure +installed twice: /m);
    assert.equal(stderr, "error: failed checks: @connectrpc/connect\n");
  });

  it("checks generated code, and generates it with --fix", async (t) => {
    const cwd = folderWith(t, {
      "package.json": JSON.stringify({ name: "pets", type: "module" }),
      "buf.yaml": "version: v2\nmodules:\n  - path: proto\n",
      "proto/pet/v1/pet.proto": 'syntax = "proto3";\npackage pet.v1;\nmessage Pet {}\n',
    });
    symlinkSync(join(root, "node_modules"), join(cwd, "node_modules"));
    const stale = await runCli(["doctor"], { cwd });
    assert.equal(stale.exitCode, 3);
    assert.match(
      stale.stdout,
      /^generated code +failure +generated files are out of date; missing: gen\/pet\/v1\/pet_pb\.ts: tercel doctor --fix/m,
    );
    assert.equal((await runCli(["doctor", "--fix"], { cwd })).exitCode, 0);
    const fixed = await runCli(["doctor"], { cwd });
    assert.equal(fixed.exitCode, 0);
    assert.match(fixed.stdout, /^generated code +ok +up to date$/m);
  });

  it("says when a later version of tercel has something for the project, and when tercel.yaml is wrong", async (t) => {
    const cwd = folderWith(t, {});
    const made = await runCli(["new", "user-service", "--no-install", "--no-git"], { cwd, env: { PATH: "" } });
    assert.equal(made.exitCode, 0, made.stderr);
    const project = join(cwd, "user-service");
    const version = ownVersion();
    assert.deepEqual(checkRecord(project), [
      { check: "tercel.yaml", outcome: "ok", text: `type grpc, of tercel ${version}` },
    ]);
    assert.deepEqual(checkRecord(project, "99.0.0"), [
      {
        check: "tercel.yaml",
        outcome: "warning",
        text: `written by tercel ${version}; this is tercel 99.0.0`,
        fix: "tercel upgrade",
      },
    ]);
    writeFileSync(join(project, "tercel.yaml"), "version: 1\ntemplate: 0.1.0\nname: user-service\ntype: gprc\n");
    const { stdout } = await runCli(["doctor"], { cwd: project, env: { PATH: "" } });
    assert.match(
      stdout,
      /^tercel\.yaml +failure +tercel\.yaml:4:7: invalid type "gprc": expected one of grpc, library, workspace$/m,
    );
    writeFileSync(join(project, "tercel.yaml"), "services: [services/user]\n");
    assert.deepEqual(checkRecord(project), []);
  });

  it("checks a server", async (t) => {
    const cwd = folderWith(t, { "package.json": JSON.stringify({ name: "pets", type: "module" }) });
    const { target } = await startLibrary(t, { hasReflection: false });
    const run = await runCli(["doctor", "--target", target], { cwd });
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stdout, /^health +ok +\S+ is SERVING$/m);
    assert.match(run.stdout, /^reflection +warning +not served: add createReflection/m);
    const [port] = await freePorts(1);
    const nowhere = await runCli(["doctor", "--target", `127.0.0.1:${port}`], { cwd });
    assert.equal(nowhere.exitCode, 3);
    assert.match(nowhere.stdout, /^health +failure +UNAVAILABLE: /m);
  });
});

describe("completion", () => {
  const complete = async (words: readonly string[], env: Record<string, string> = {}): Promise<string[]> => {
    const { exitCode, stdout, stderr } = await runCli(["__complete", "--", ...words], { env });
    assert.equal(exitCode, 0, stderr);
    return stdout.split("\n").filter((line) => line !== "");
  };

  it("completes commands, options, and the values of options", async () => {
    assert.deepEqual(await complete(["l"]), ["lint", "list"]);
    assert.ok((await complete([""])).includes("call"));
    assert.ok(!(await complete([""])).includes("__complete"));
    assert.deepEqual(await complete(["call", "--dea"]), ["--deadline"]);
    assert.deepEqual(await complete(["list", "-o", ""]), ["json", "name", "ndjson", "table"]);
    assert.deepEqual(await complete(["completion", "z"]), ["zsh"]);
    assert.deepEqual(await complete(["help", "des"]), ["describe"]);
    assert.deepEqual(await complete(["config", "s"]), ["schema", "show"]);
    assert.deepEqual(await complete(["db", "s"]), ["seed", "shell", "status"]);
    assert.deepEqual(await complete(["add", "d"]), ["database", "discovery"]);
    assert.deepEqual(await complete(["config", "diff", "a", "b", "--s"]), ["--set"]);
    assert.deepEqual(await complete(["nonsense", "x"]), []);
  });

  it("completes services, methods and fields, of the server that the line names", async (t) => {
    const { target } = await startLibrary(t);
    const name = "tercel.cli.test.v1.LibraryService";
    assert.deepEqual(await complete(["call", "tercel"], { TERCEL_TARGET: target }), [`${name}/`]);
    assert.deepEqual(await complete(["call", "--target", target, `${name}/A`]), [`${name}/AddBooks`]);
    assert.deepEqual(await complete(["describe", "tercel"], { TERCEL_TARGET: target }), [name]);
    assert.deepEqual(await complete(["call", `${name}/AddBooks`, "--target", target, "-d", "ti"]), ["title="]);
    assert.deepEqual(await complete(["call", `${name}/AddBooks`, `--target=${target}`, "-d", "au"]), ["author."]);
    const get = [`${name}/AddBooks`, "--target", target, "-d", "title=x", "-d"];
    assert.deepEqual(await complete(["call", ...get, "ti"]), []);
    assert.deepEqual(await complete(["call", ...get, "genre=GENRE_NOV"]), ["genre=GENRE_NOVEL"]);
  });

  it("completes to nothing where no server is", async () => {
    const [port] = await freePorts(1);
    assert.deepEqual(await complete(["call", "hello"], { TERCEL_TARGET: `127.0.0.1:${port}` }), []);
  });

  for (const shell of ["bash", "zsh", "fish"]) {
    it(`prints a script for ${shell} that asks this program`, async () => {
      const { stdout } = await runCli(["completion", shell]);
      assert.match(stdout, /tercel __complete --/);
    });
  }
});
