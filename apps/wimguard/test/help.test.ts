import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { runCommand } from "../src/command/program.ts";

async function helpOf(path: readonly string[]): Promise<string> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  assert.equal(await runCommand([...path, "--help"], { out, err }), 0);
  assert.equal(err.read(), null);
  return String(out.read());
}

interface Item {
  readonly term: string;
  readonly description: string;
}

/** The lines of a part of a help text; a line that is indented further continues the one before. */
function itemsOf(help: string, part: string): Item[] {
  const text = new RegExp(`^${part}:\\n((?: .*\\n)+)`, "m").exec(help)?.[1] ?? "";
  const items: Item[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const [, term, description = ""] = /^ {2}(\S.*?)(?: {2,}(\S.*))?$/.exec(line) ?? [];
    const last = items.at(-1);
    if (term !== undefined) items.push({ term, description });
    else if (last !== undefined) items.splice(-1, 1, { ...last, description: `${last.description} ${line.trim()}` });
  }
  return items;
}

/** The texts of a command and of all below it. */
async function allHelps(path: readonly string[] = []): Promise<[string, string][]> {
  const help = await helpOf(path);
  const found: [string, string][] = [[path.join(" "), help]];
  for (const { term } of itemsOf(help, "Commands")) {
    const [name = ""] = term.split(" ");
    if (name !== "help") found.push(...(await allHelps([...path, name])));
  }
  return found;
}

describe("--help", () => {
  it("describes every command, argument and option in one line of plain words", async () => {
    const helps = await allHelps();
    const paths = helps.map(([path]) => path);
    for (const path of ["", "backup", "restore", "snapshot ls", "schedule create", "registry import", "config token"])
      assert.ok(paths.includes(path), `no help for "${path}"`);
    for (const [path, help] of helps) {
      assert.match(help, new RegExp(`^Usage: wimguard ?${path}`), path);
      for (const part of ["Options", "Commands"]) {
        for (const { term, description } of itemsOf(help, part)) {
          assert.match(
            description,
            /^\S.*[^.]$/,
            `${path}: "${term}" has no description, or one that ends with a full stop`,
          );
        }
      }
    }
  });

  it("names the options that every command has", async () => {
    const terms = itemsOf(await helpOf([]), "Options").map(({ term }) => term);
    assert.deepEqual(
      terms.filter((term) => /^--(?:server|timeout|dir|json|quiet|yes)\b/.test(term)).map((term) => term.split(" ")[0]),
      ["--server", "--timeout", "--dir", "--json", "--quiet", "--yes"],
    );
  });
});
