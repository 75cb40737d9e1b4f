// `npm run try:runtimes` tries the packed packages on all supported runtimes, and `npm run try:runtimes -- bun deno` on some.
// Each runtime comes from npm. It serves and calls the first service of the README. Node also loads the packages from CommonJS.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { createPackedProject, runAsUser, userEnvironment } from "./packed-project.ts";

interface Runtime {
  readonly name: string;
  /** The npm package, with the version to try. */
  readonly package: string;
  /** Arguments that print the path of the program. */
  readonly locate: readonly string[];
  /** Arguments before the file to run. */
  readonly options: readonly string[];
}

const root = dirname(dirname(import.meta.dirname));
const nodeAt = (version: string): Runtime => ({
  name: `node-${version}`,
  package: `node@${version}`,
  locate: ["--print", "process.execPath"],
  options: [],
});
const runtimes: readonly Runtime[] = [
  nodeAt("22.18"),
  nodeAt("24"),
  nodeAt("26"),
  { name: "bun", package: "bun@1", locate: ["--print", "process.execPath"], options: ["run"] },
  {
    name: "deno",
    package: "deno@2",
    locate: ["eval", "console.log(Deno.execPath())"],
    options: ["run", "--allow-all"],
  },
];
const expected = "Hello, Ada!\n3\n2\n1\n";

/** Returns what failed on the runtime; undefined if nothing did. */
async function problemOf(runtime: Runtime, project: string): Promise<string | undefined> {
  try {
    const program = runAsUser("npx", ["--yes", runtime.package, ...runtime.locate], tmpdir()).stdout.trim();
    await serveAndCall(program, runtime.options, join(project, "hello"));
    if (runtime.name.startsWith("node-")) {
      const { stdout } = runAsUser(program, [join(project, "require.cjs")], project);
      if (stdout !== "status 1\n") return `the CommonJS program printed ${JSON.stringify(stdout)}`;
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function serveAndCall(program: string, options: readonly string[], folder: string): Promise<void> {
  const server = spawn(program, [...options, join(folder, "server.ts")], {
    cwd: folder,
    env: { ...userEnvironment(), PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "close");
  try {
    const { value: line, done } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
    if (done) throw new Error("the server ended before it listened");
    const address = String(line).replace("listening on ", "");
    const { stdout } = runAsUser(program, [...options, join(folder, "client.ts"), address], folder);
    if (stdout !== expected) throw new Error(`the client printed ${JSON.stringify(stdout)}`);
  } finally {
    server.kill("SIGKILL");
    await ended;
  }
}

const words = process.argv.slice(2);
const chosen = runtimes.filter(({ name }) => words.length === 0 || words.includes(name));
const unknown = words.find((word) => !runtimes.some(({ name }) => name === word));
if (unknown !== undefined) {
  console.error(`unknown runtime "${unknown}": expected some of ${runtimes.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const project = mkdtempSync(join(tmpdir(), "tercel-runtimes-"));
try {
  createPackedProject(root, project);
  cpSync(join(root, "examples", "hello"), join(project, "hello"), { recursive: true });
  cpSync(join(import.meta.dirname, "packed-programs", "require.cjs"), join(project, "require.cjs"));
  for (const runtime of chosen) {
    const problem = await problemOf(runtime, project);
    if (problem !== undefined) process.exitCode = 1;
    console.log(`${runtime.name}: ${problem ?? "serves, calls and streams"}`);
  }
} finally {
  rmSync(project, { recursive: true });
}
