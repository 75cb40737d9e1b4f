// The documents that -o json prints: their schemas are kept, so that a property that goes or changes its type shows. UPDATE_GOLDEN=1 writes them.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { makeProject } from "./dev-projects.ts";
import { startLibrary } from "./library-server.ts";
import { runCli } from "./run-cli.ts";

const golden = join(import.meta.dirname, "golden/json-schemas");

/** JSON Schema, as far as it can be seen in values. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  /** Those that every value has. */
  readonly required?: readonly string[];
  readonly items?: Schema;
}

/** The schema of values that stand in the same place. */
function schemaOf(values: readonly unknown[], name = ""): Schema {
  if (name === "version") return { const: values[0] };
  const types = [...new Set(values.map(typeOf))].sort();
  const [type = ""] = types;
  const common = { type: types.length === 1 ? type : types };
  const objects = values.filter((value) => typeOf(value) === "object") as Readonly<Record<string, unknown>>[];
  const items = values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : []));
  return {
    ...common,
    ...(objects.length > 0 && objectSchema(objects)),
    ...(items.length > 0 && { items: schemaOf(items) }),
  };
}

function objectSchema(objects: readonly Readonly<Record<string, unknown>>[]): Schema {
  const names = [...new Set(objects.flatMap((one) => Object.keys(one)))];
  return {
    properties: Object.fromEntries(
      names.map((name) => [
        name,
        schemaOf(
          objects.filter((one) => name in one).map((one) => one[name]),
          name,
        ),
      ]),
    ),
    required: names.filter((name) => objects.every((one) => name in one)),
  };
}

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function keepsSchema(name: string, document: unknown): void {
  const text = `${JSON.stringify(schemaOf([document]), undefined, 2)}\n`;
  const file = join(golden, `${name}.txt`);
  if (process.env.UPDATE_GOLDEN === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"), name);
}

/** Runs a command, and returns the documents of both outputs. */
async function documents(
  args: readonly string[],
  cwd?: string,
): Promise<{ readonly exitCode: number; readonly stdout: unknown; readonly stderr: unknown }> {
  const run = await runCli([...args, "-o", "json"], cwd === undefined ? {} : { cwd });
  const last = run.stderr.trim().split("\n").at(-1) ?? "";
  return {
    exitCode: run.exitCode,
    stdout: run.stdout === "" ? undefined : JSON.parse(run.stdout),
    stderr: last.startsWith("{") ? JSON.parse(last) : undefined,
  };
}

async function keeps(name: string, args: readonly string[], cwd?: string): Promise<void> {
  const { stdout, exitCode } = await documents(args, cwd);
  assert.ok(stdout !== undefined, `${args.join(" ")}: exit code ${exitCode}`);
  keepsSchema(name, stdout);
}

describe("the schema of -o json", () => {
  it("of list, describe, health and call", async (t) => {
    const { target } = await startLibrary(t);
    const at = ["--target", target];
    await keeps("list", ["list", ...at]);
    await keeps("list-methods", ["list", "LibraryService", ...at]);
    await keeps("describe-service", ["describe", "LibraryService", ...at]);
    await keeps("describe-method", ["describe", "LibraryService/GetBook", ...at]);
    await keeps("health", ["health", ...at]);
    const get = ["call", "LibraryService/GetBook", ...at];
    await keeps("call", [...get, "-d", "id=7", "--include", "headers,trailers,timing"]);
    await keeps("call-stream", ["call", "LibraryService/ListBooks", ...at, "-d", "count=2"]);
    const failed = await documents([...get, "-d", "id=none"]);
    assert.equal(failed.exitCode, 69);
    keepsSchema("call-failed", failed.stderr);
    keepsSchema("mistake", (await documents(["list", "--tagret", "x"])).stderr);
    const unanswered = await documents(["call", "LibraryService/GetBook", "-d", "id=7", "--target", "127.0.0.1:1"]);
    assert.equal(unanswered.exitCode, 7);
    keepsSchema("call-not-connected", unanswered.stderr);
  });

  it("of bench", async (t) => {
    const { target } = await startLibrary(t);
    const args = ["bench", "LibraryService/GetBook", "-d", "id=7", "--target", target, "--duration", "100ms"];
    await keeps("bench", [...args, "--warmup", "0", "--concurrency", "1"]);
    await keeps("bench-open", [...args, "--warmup", "0", "--rate", "50"]);
    const slow = await startLibrary(t, { onGetBook: () => new Promise((resolve) => setTimeout(resolve, 5)) });
    const gate = ["--warmup", "0", "--concurrency", "1", "--max-p99", "1ms"];
    const missed = await documents([...args.slice(0, -4), "--target", slow.target, "--duration", "100ms", ...gate]);
    assert.equal(missed.exitCode, 3);
    keepsSchema("bench-missed", missed.stderr);
  });

  it("of config, db and doctor", async (t) => {
    const cwd = await makeProject(t);
    await keeps("config-show", ["config", "show"], cwd);
    await keeps("config-diff", ["config", "diff", "development", "test"], cwd);
    await keeps("db-status", ["db", "status"], cwd);
    await keeps("doctor", ["doctor"], cwd);
  });
});
