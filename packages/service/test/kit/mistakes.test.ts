// What a whole program prints where a start fails, letter by letter; test/config/messages.test.ts has what mistakes in files print.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { createPostgresServer, freePorts, withoutPostgres } from "@tercel/test-support/servers";
import pg from "pg";

const programs = join(import.meta.dirname, "../programs");

interface Run {
  readonly status: number | null;
  readonly stderr: string;
  /** Messages of the log. */
  readonly lines: readonly string[];
}

/** A folder to run in, with migrations below it. */
function emptyFolder(test: TestContext, config = ""): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-mistakes-"));
  test.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "migrations"));
  writeFileSync(join(folder, "config.yaml"), `service: {port: 0, insecure: true}\n${config}`);
  return folder;
}

/** Runs a program of this folder to its end. */
function run(
  program: string,
  folder: string,
  { env = {}, node = [], args = [] }: { env?: object; node?: readonly string[]; args?: readonly string[] } = {},
): Run {
  const file = join(programs, program);
  // Options of Node may change what the program imports, which a bundle has already.
  const command = node.length === 0 ? [bundleProgram(file)] : ["--conditions=source", ...node, file];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, MIGRATIONS: join(folder, "migrations"), ...env },
  });
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return {
    status,
    stderr: stderr.trimEnd(),
    lines: lines.map((line) => (JSON.parse(line) as { readonly message: string }).message),
  };
}

const sqliteConfig = "database: {providers: {sqlite: {path: data.db}}}\n";
const users = "CREATE TABLE users (id INTEGER PRIMARY KEY) STRICT;\n";

describe("a start that fails prints", () => {
  it("what to install for a database whose package is missing", (t) => {
    const folder = emptyFolder(t, "database: {providers: {postgres: {url: 'postgres://me@127.0.0.1:1/users'}}}\n");
    const { status, stderr } = run("keeper.ts", folder, { node: ["--import", join(programs, "without-pg.ts")] });
    assert.deepEqual([status, stderr], [1, "database postgres needs the package pg: npm install pg@^8"]);
  });

  it("the lines to add for a need that is not configured", (t) => {
    const { status, stderr } = run("keeper.ts", emptyFolder(t));
    assert.equal(status, 1);
    assert.equal(
      stderr,
      'the service needs a database ("db"); add to the configuration (types: sqlite, postgres):\ndatabase:\n  providers:\n    sqlite: {}',
    );
  });

  it("where a database was looked for, each attempt, and which setting waits for longer", async (t) => {
    const [port = 0] = await freePorts(1);
    const url = `postgres://me:secret@127.0.0.1:${port}/users`;
    const folder = emptyFolder(t, `database: {providers: {postgres: {url: '${url}'}}}\n`);
    const { status, stderr, lines } = run("keeper.ts", folder, { env: { TERCEL__SERVICE__START__WAIT: "700ms" } });
    const away = `database postgres: migrations: postgres at 127.0.0.1:${port}/users: connect ECONNREFUSED 127.0.0.1:${port}`;
    assert.equal(status, 1);
    assert.ok(lines.length > 0);
    for (const [at, line] of lines.entries()) {
      assert.match(line, new RegExp(`^${away}, attempt ${at + 1}, next in 0\\.\\d s$`));
    }
    const attempts = `attempt ${lines.length + 1}, gave up after 0.7 s; raise service.start.wait to wait longer`;
    assert.equal(stderr, `${away} (${attempts})`);
  });

  it("what a refused password means, without trying it again", {
    skip: withoutPostgres,
    timeout: 120_000,
  }, async (t) => {
    const server = await createPostgresServer();
    t.after(() => server.dispose());
    await server.start();
    const pool = new pg.Pool({ host: "127.0.0.1", port: server.port, user: "postgres", database: "postgres" });
    await pool.query("CREATE ROLE guarded LOGIN PASSWORD 'right'");
    const { rows } = await pool.query<{ hba_file: string }>("SHOW hba_file");
    const file = rows[0]?.hba_file ?? "";
    writeFileSync(file, `host all guarded 127.0.0.1/32 scram-sha-256\n${readFileSync(file, "utf8")}`);
    await pool.query("SELECT pg_reload_conf()");
    await pool.end();
    const url = `postgres://guarded:wrong@127.0.0.1:${server.port}/postgres`;
    const folder = emptyFolder(t, `database: {providers: {postgres: {url: '${url}'}}}\n`);
    const { status, stderr, lines } = run("keeper.ts", folder);
    assert.deepEqual([status, lines], [1, []]);
    assert.equal(
      stderr,
      `database postgres: migrations: postgres at 127.0.0.1:${server.port}/postgres: password authentication failed for user "guarded" (28P01): check the password in the url`,
    );
  });

  it("the key, the variable and the flag that change a port that is taken", async (t) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const { status, stderr } = run("hello.ts", emptyFolder(t), { env: { TERCEL__SERVICE__PORT: String(port) } });
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `port ${port} of 127.0.0.1 is in use by another program; change service.port in the file, or by TERCEL__SERVICE__PORT or --set service.port=…`,
    );
  });

  it("file and hashes of a migration that was edited after it was applied", (t) => {
    const folder = emptyFolder(t, sqliteConfig);
    const file = join(folder, "migrations/0001_users.sql");
    writeFileSync(file, users);
    const production = { env: { TERCEL_ENV: "production" } };
    const pending = run("keeper.ts", folder, production);
    assert.deepEqual(
      [pending.status, pending.stderr],
      [
        1,
        "database sqlite: migrations: 1 migration is pending at sqlite at data.db (0001_users): run node main.js --migrate",
      ],
    );
    assert.equal(run("keeper.ts", folder, { ...production, args: ["--migrate"] }).status, 0);
    writeFileSync(file, `-- edited\n${users}`);
    const { status, stderr } = run("keeper.ts", folder, production);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^database sqlite: migrations: migration 0001_users\.sql was edited after it was applied: its sha256 is [0-9a-f]{64}, applied was [0-9a-f]{64}; restore it and add a new file for the change$/,
    );
  });

  it("the line to add for a method without an access rule", (t) => {
    const { status, stderr } = run("guarded.ts", emptyFolder(t));
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `missing access rule for tercel.service.test.v1.EchoService/Unary; add to the definition's access, with "public" or roles instead where needed:\n  "tercel.service.test.v1.EchoService/Unary": "authenticated",`,
    );
  });

  it("path, key and place of a TLS file that is missing", (t) => {
    const tls = "{cert_file: none.crt, key_file: none.key}";
    const folder = emptyFolder(t, `communication: {providers: {grpc: {tls: ${tls}}}}\n`);
    const { status, stderr } = run("hello.ts", folder);
    assert.equal(status, 1);
    assert.equal(
      stderr,
      "the configuration has 2 problems:\n" +
        'config.yaml:2:53: communication.providers.grpc.tls.cert_file is "none.crt"; no such file\n' +
        'config.yaml:2:73: communication.providers.grpc.tls.key_file is "none.key"; no such file',
    );
  });
});
