import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

const { exports, peerDependencies } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../package.json"), "utf8"),
) as { readonly exports: object; readonly peerDependencies: object };

/** Runs a program without the optional packages. */
function runWithoutPackages(program: string): {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
} {
  const hooks = `
    import { registerHooks } from "node:module";
    const missing = ${JSON.stringify(Object.keys(peerDependencies))};
    registerHooks({
      resolve(specifier, context, next) {
        const name = missing.find((one) => specifier === one || specifier.startsWith(one + "/"));
        if (name === undefined) return next(specifier, context);
        throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });`;
  const load = `data:text/javascript,${encodeURIComponent(hooks)}`;
  const flags = ["--conditions=source", `--import=${load}`, "--input-type=module", "-e"];
  return spawnSync(process.execPath, [...flags, program], { encoding: "utf8", cwd: import.meta.dirname });
}

const secret = "new Uint8Array(32).fill(7)";
const auth = `{ services: [], keys: [{ algorithm: "HS256", secret: ${secret} }], issuer: "a", audience: "b" }`;

describe("where no optional package is installed", () => {
  it("every subpath except validation loads", () => {
    const names = Object.keys(exports)
      .filter((name) => name !== "./validation")
      .map((name) => `@tercel/interceptors${name.slice(1)}`);
    const { stdout, stderr } = runWithoutPackages(`
      for (const name of ${JSON.stringify(names)}) await import(name);
      console.log("loaded");
    `);
    assert.equal(stdout, "loaded\n", stderr);
  });

  it("a client can send tokens", () => {
    const { stdout, stderr } = runWithoutPackages(`
      import { createBearerToken } from "@tercel/interceptors/auth";
      console.log(typeof createBearerToken({ getToken: () => "token" }));
    `);
    assert.equal(stdout, "function\n", stderr);
  });

  it("a server that verifies tokens does not start, and names the package to install", () => {
    const { stderr, status } = runWithoutPackages(`
      import { createAuth } from "@tercel/interceptors/auth";
      createAuth(${auth});
      setTimeout(() => {}, 60_000);
    `);
    assert.match(stderr, /createAuth needs jose: npm install jose@6/);
    assert.equal(status, 1);
  });

  it("a stack rejects with the package to install", () => {
    const { stdout, stderr } = runWithoutPackages(`
      import { createClientStack, createServerStack } from "@tercel/interceptors/stack";
      const print = ({ message }) => console.log(message);
      await createServerStack({ auth: ${auth} }).catch(print);
      await createServerStack({ validation: true }).catch(print);
      await createClientStack({ validation: true }).catch(print);
    `);
    const needed = "validation needs @bufbuild/protovalidate: npm install @bufbuild/protovalidate@1";
    assert.deepEqual(
      stdout.trimEnd().split("\n"),
      ["createAuth needs jose: npm install jose@6", needed, needed],
      stderr,
    );
  });
});
