import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { hasSource, publicPackages, readPackages } from "../workspace-packages.ts";

const root = dirname(dirname(import.meta.dirname));
const packages = publicPackages(root);

interface Manifest {
  type?: string;
  license?: string;
  repository?: object;
  homepage?: string;
  bugs?: object;
  exports?: Record<string, unknown>;
  engines?: { node?: string };
  publishConfig?: { access?: string };
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
}

describe("manifests of the public packages", () => {
  it("are found", () => {
    assert.ok(packages.some((one) => one.name === "@tercel/http2"));
    assert.ok(packages.some((one) => one.name === "@tercel/grpc"));
  });

  it("have the workspace's version", () => {
    const version = readPackages(root).find((one) => one.folder === "")?.version;
    for (const one of packages) assert.equal(one.version, version, one.name);
  });

  it("depend on exactly that version of each other, so that versions cannot be mixed", () => {
    const names = new Set(packages.map((one) => one.name));
    for (const one of packages) {
      for (const [name, range] of Object.entries(manifestOf(one.folder).dependencies ?? {})) {
        if (names.has(name)) assert.equal(range, one.version, `${one.name} → ${name}`);
      }
    }
  });

  it("name an existing source and its built files for each entry point", () => {
    for (const one of packages) {
      assert.ok(one.entryPoints.size + one.programs.size > 0, `${one.name} has no exports`);
      for (const [entry, source] of one.entryPoints) {
        assert.ok(hasSource(root, source), `${entry}: ${source} does not exist`);
        const built = source.slice(one.folder.length).replace("/src/", "./dist/").replace(/\.ts$/, "");
        const target = manifestOf(one.folder).exports?.[`.${entry.slice(one.name.length)}`];
        // Order matters: the first condition that applies is used.
        assert.equal(
          JSON.stringify(target),
          JSON.stringify({
            source: `.${source.slice(one.folder.length)}`,
            types: `${built}.d.ts`,
            default: `${built}.js`,
          }),
          entry,
        );
      }
    }
  });

  it("are ESM and have the workspace's licence", () => {
    const { license } = manifestOf("");
    for (const one of packages) {
      const manifest = manifestOf(one.folder);
      assert.equal(manifest.type, "module", one.name);
      assert.equal(manifest.license, license, one.name);
    }
  });

  it("require the oldest Node that Tercel supports, and npm warns when it installs on an older one", () => {
    for (const one of packages) assert.equal(manifestOf(one.folder).engines?.node, ">=22.18", one.name);
  });

  it("are public, and built before they are packed", () => {
    for (const one of packages) {
      const { publishConfig, scripts } = manifestOf(one.folder);
      assert.equal(publishConfig?.access, "public", one.name);
      assert.match(scripts?.prepack ?? "", /tools\/packages\/prepack\.ts$/, one.name);
    }
  });

  it("have the same repository URL, or none", () => {
    // Registries show these URLs next to the package. A wrong one would send users to someone else.
    const { repository, homepage, bugs } = manifestOf("");
    for (const one of packages) {
      const own = manifestOf(one.folder);
      assert.deepEqual([own.homepage, own.bugs], [homepage, bugs], one.name);
      const expected = repository === undefined ? undefined : { ...repository, directory: one.folder };
      assert.deepEqual(own.repository, expected, one.name);
    }
  });
});

describe("folders of the public packages", () => {
  it("contain a copy of the licence", () => {
    const licence = readFileSync(join(root, "LICENSE"), "utf8");
    for (const { folder } of packages)
      assert.equal(readFileSync(join(root, folder, "LICENSE"), "utf8"), licence, folder);
  });

  it("contain a README whose paths exist; they are not links, because links do not work on the page of a registry", () => {
    for (const { folder, name } of packages) {
      const text = readFileSync(join(root, folder, "README.md"), "utf8");
      for (const [, path = ""] of text.matchAll(/`((?:src|docs|examples)\/[^`\s]+)`/g)) {
        const base = path.startsWith("src/") ? folder : "";
        assert.ok(existsSync(join(root, base, path)), `${name}: ${path} does not exist`);
      }
    }
  });
});
