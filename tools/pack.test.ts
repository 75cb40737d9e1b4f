// What users get: every public package is built, packed, installed into an empty project and imported by plain node.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { problemAffectsResolutionKind } from "@arethetypeswrong/core/problems";
import { startCommand } from "@tercel/test-support/programs";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { readMarkdown } from "./read-markdown.ts";
import { publicPackages } from "./workspace-packages.ts";

const root = dirname(import.meta.dirname);
const packages = publicPackages(root);

interface PackedPackage {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Runs a command to its end and returns what it printed; fails with all of it when the exit code is not 0. */
function run(command: string, args: readonly string[], cwd: string): string {
  return runWithErrors(command, args, cwd).stdout;
}

function runWithErrors(
  command: string,
  args: readonly string[],
  cwd: string,
): { readonly stdout: string; readonly stderr: string } {
  // Settings such as the registry hold here too, but neither the outer npm's project nor the marks of the test runner.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_local_prefix$|package_|lifecycle_)|^NODE_(TEST_CONTEXT|OPTIONS)$/.test(name),
    ),
  );
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
  return { stdout, stderr };
}

describe("the packed packages", () => {
  let folder = "";
  let packed: PackedPackage[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-pack-"));
    run("npm", ["run", "build"], root);
    packed = packages.map((one) => {
      const output = run("npm", ["pack", "--json", "--pack-destination", folder], join(root, one.folder));
      return firstPacked(JSON.parse(output));
    });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
    const tarballs = packed.map(({ filename }) => join(folder, basename(filename)));
    run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], folder);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("hold code and types for every entry point, and no tests", () => {
    for (const [index, { name, files }] of packed.entries()) {
      const paths = files.map(({ path }) => path);
      const tests = paths.filter((path) => /\.test\.|(^|\/)test\//.test(path));
      assert.deepEqual(tests, [], name);
      const one = packages[index];
      for (const source of one?.entryPoints.values() ?? []) {
        const built = source
          .slice((one?.folder.length ?? 0) + 1)
          .replace(/^src\//, "dist/")
          .replace(/\.ts$/, "");
        assert.ok(paths.includes(`${built}.js`) && paths.includes(`${built}.d.ts`), `${name} lacks ${built}`);
      }
    }
  });

  it("hold the licence, and nothing that only the compiler needs", () => {
    for (const { name, files } of packed) {
      const paths = files.map(({ path }) => path);
      assert.ok(paths.includes("LICENSE"), name);
      assert.ok(!paths.some((path) => path.endsWith(".tsbuildinfo")), name);
    }
  });

  it("hold a README whose links work on the page of a registry, which has no other file of the package", () => {
    for (const [index, { name, files }] of packed.entries()) {
      assert.ok(
        files.some(({ path }) => path === "README.md"),
        name,
      );
      const text = readFileSync(join(root, packages[index]?.folder ?? "", "README.md"), "utf8");
      const relative = readMarkdown(text).links.filter(({ target }) => !/^(https:|#)/.test(target));
      assert.deepEqual(relative, [], name);
    }
  });

  it("satisfy publint, suggestions included", async () => {
    for (const { name, filename } of packed) {
      const { buffer: tarball } = new Uint8Array(readFileSync(join(folder, basename(filename))));
      const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
      assert.deepEqual(
        messages.map((message) => formatMessage(message, pkg, { color: false })),
        [],
        name,
      );
    }
  });

  it("have types that tell every ESM user what the code is (are the types wrong?, profile esm-only)", async () => {
    for (const [index, { name, filename }] of packed.entries()) {
      const tarball = new Uint8Array(readFileSync(join(folder, basename(filename))));
      const analysis = await checkPackage(createPackageFromTarballData(tarball));
      assert.ok(analysis.types !== false, `${name} has no types`);
      const subpaths = [...(packages[index]?.entryPoints.keys() ?? [])].map((entry) => `.${entry.slice(name.length)}`);
      assert.deepEqual(Object.keys(analysis.entrypoints).toSorted(), subpaths.toSorted(), name);
      // Left out are resolutions without "exports" (Node 10), and require() from CommonJS.
      const problems = analysis.problems.filter((problem) =>
        (["node16-esm", "bundler"] as const).some((kind) => problemAffectsResolutionKind(problem, kind, analysis)),
      );
      assert.deepEqual(problems, [], name);
    }
  });

  it("pass a publish that sends nothing, for everyone to read and without a correction by npm", () => {
    const chosen = packages.flatMap((one) => ["--workspace", one.folder]);
    // npm pack has run the scripts before.
    const options = ["--dry-run", "--offline", "--ignore-scripts"];
    const { stdout, stderr } = runWithErrors("npm", ["publish", ...options, ...chosen], root);
    for (const one of packages) assert.ok(stdout.includes(`+ ${one.name}@${one.version}`), stdout + stderr);
    // npm prints a notice that it has for several packages once.
    const notices = stderr.split("\n").filter((line) => /corrected| access \(dry-run\)$/.test(line));
    assert.equal(notices.length, 1, notices.join("\n"));
    assert.match(notices[0] ?? "", / public access /);
  });

  it("hold the protos whose code they show", () => {
    for (const [index, { name, files }] of packed.entries()) {
      const paths = files.map(({ path }) => path);
      for (const entry of packages[index]?.entryPoints.keys() ?? []) {
        const generated = /\/gen\/(.+)_pb\.js$/.exec(entry);
        if (generated !== null)
          assert.ok(paths.includes(`proto/${generated[1]}.proto`), `${name} lacks ${entry}'s proto`);
      }
    }
  });

  it("import by plain node from each entry point, with every name that the source exports", () => {
    const entries = packages.flatMap((one) => [...one.entryPoints]);
    const program = `
      const names = {};
      for (const entry of ${JSON.stringify(entries.map(([entry]) => entry))}) names[entry] = Object.keys(await import(entry));
      console.log(JSON.stringify(names));
    `;
    writeFileSync(join(folder, "main.js"), program);
    const exported = JSON.parse(run(process.execPath, ["main.js"], folder)) as Record<string, string[]>;

    const sources = entries.map(([, source]) => join(root, source));
    writeFileSync(
      join(folder, "sources.js"),
      program.replace(JSON.stringify(entries.map(([entry]) => entry)), JSON.stringify(sources)),
    );
    const inSource = JSON.parse(run(process.execPath, ["--conditions=source", "sources.js"], folder)) as Record<
      string,
      string[]
    >;
    for (const [index, [entry]] of entries.entries()) {
      assert.ok((exported[entry]?.length ?? 0) > 0, `${entry} exports nothing`);
      assert.deepEqual(exported[entry], inSource[sources[index] ?? ""], entry);
    }
  });

  it("run the README's first service", async (t) => {
    const hello = join(folder, "hello");
    cpSync(join(root, "examples", "hello"), hello, { recursive: true });
    // By node alone: our condition "source" would lead to TypeScript in node_modules.
    const server = startCommand(t, process.execPath, [join(hello, "server.ts")], { PORT: "0" });
    const address = (await server.line()).replace("listening on ", "");
    assert.equal(run(process.execPath, [join(hello, "client.ts"), address], folder), "Hello, Ada!\n3\n2\n1\n");
    server.signal("SIGINT");
    assert.deepEqual(await server.ended, [0, null]);
  });

  it("resolve for the type checker of a user who knows nothing of our conditions", () => {
    const entries = packages.flatMap((one) => [...one.entryPoints.keys()]);
    const lines = entries.map((entry, index) => `import * as entry${index} from "${entry}"; void entry${index};`);
    writeFileSync(join(folder, "types.ts"), lines.join("\n"));
    const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom"];
    const typeRoots = join(root, "node_modules", "@types");
    const compiler = join(root, "node_modules", ".bin", "tsc");
    run(compiler, [...options, "--typeRoots", typeRoots, "--types", "node", "types.ts"], folder);
  });

  it("bring no second copy of a package they share", () => {
    const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as {
      packages: Record<string, unknown>;
    };
    // Two copies of a package whose classes and types cross our interfaces would not recognise each other's.
    const shared = new Set(packages.flatMap((one) => [one.name, ...one.dependencies]));
    // A user has what is optional only by installing it.
    for (const name of packages.flatMap((one) => optionalPeersOf(one.folder))) shared.delete(name);
    const copies = Object.keys(lock.packages).filter((path) => shared.has(path.split("node_modules/").at(-1) ?? ""));
    assert.deepEqual(copies.toSorted(), [...shared].map((name) => `node_modules/${name}`).toSorted());
  });
});

/** npm prints a list of what it packed; newer versions an object by package name. */
function firstPacked(output: unknown): PackedPackage {
  const [first] = Array.isArray(output) ? output : Object.values(output as Record<string, unknown>);
  return first as PackedPackage;
}

function optionalPeersOf(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  };
  return Object.entries(manifest.peerDependenciesMeta ?? {})
    .filter(([, { optional }]) => optional === true)
    .map(([name]) => name);
}
