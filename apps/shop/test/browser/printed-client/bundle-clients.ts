import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { applyPatch, parsePatch } from "diff";
import { build, type Plugin } from "esbuild";
import { file_api_user_v1_user, UserService } from "../../../src/gen/api/user/v1/user_pb.ts";
import { writeMessages, writeService } from "./write-stubs.ts";

const folder = import.meta.dirname;
const messages = join(folder, "generated", "user_pb");

/** The prescribed client. */
export function readPrinted(): string {
  return readFileSync(join(folder, "user-client.printed.txt"), "utf8");
}

/** The lines that the patch adds. It must not change the client. */
export function readAddedLines(): string[] {
  const lines = parsePatch(readPatch()).flatMap(({ hunks }) => hunks.flatMap((hunk) => hunk.lines));
  assert.deepEqual(
    lines.filter((line) => line.startsWith("-")),
    [],
  );
  return lines.filter((line) => line.startsWith("+")).map((line) => line.slice(1));
}

/** The prescribed client with the definitions that it lacks. */
export function patchedClient(): string {
  const patched = applyPatch(readPrinted(), readPatch());
  assert.ok(patched !== false, "user-client.patch does not fit user-client.printed.txt");
  return patched;
}

/** Builds the script of a page that calls the shop with several clients: clients-page.ts with the prescribed client and its stubs. */
export async function bundleClients(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "..", "clients-page.ts")],
    ...{ bundle: true, write: false, format: "iife", target: "chrome120", conditions: ["source"], logLevel: "warning" },
    plugins: [printedModules],
  });
  return outputFiles[0]?.text ?? assert.fail("esbuild wrote nothing");
}

function readPatch(): string {
  return readFileSync(join(folder, "user-client.patch"), "utf8");
}

/** Provides the generated modules: the patched client, and the stubs that it imports. */
const printedModules: Plugin = {
  name: "printed-client",
  setup(plugged) {
    const made = new Map<string, { readonly contents: string; readonly loader: "ts" | "js" }>([
      [join(folder, "user-client"), { contents: patchedClient(), loader: "ts" }],
      [messages, { contents: writeMessages(file_api_user_v1_user), loader: "js" }],
      [`${messages}_service`, { contents: writeService(UserService, "./user_pb"), loader: "js" }],
    ]);
    plugged.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      const found = join(resolveDir, path).replace(/\.(ts|js)$/, "");
      return made.has(found) ? { path: found, namespace: "printed" } : undefined;
    });
    plugged.onLoad({ filter: /.*/, namespace: "printed" }, ({ path }) => ({
      ...made.get(path),
      resolveDir: join(path, ".."),
    }));
  },
};
