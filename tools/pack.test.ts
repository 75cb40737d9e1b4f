// What users get: every public package is built, packed, installed into an empty project and imported by plain node.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
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
  // Settings such as the registry hold here too, but neither the outer npm's project nor the marks of the test runner.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_local_prefix$|package_|lifecycle_)|^NODE_(TEST_CONTEXT|OPTIONS)$/.test(name),
    ),
  );
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
  return stdout;
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
