/** Uses Python's hpack as the other side. Each reads the blocks of the other, with changes of the table size. */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { HpackDecoder, HpackEncoder } from "../../../packages/http2/src/hpack/index.ts";
import { RandomLists } from "./random-lists.ts";

const folder = import.meta.dirname;
const environment = join(folder, "../../../.cache/conformance/hpack-python");
const lists = 5000;
const resizeEvery = 23;
const tableSizes = [0, 40, 100, 1000, 4096, 16_384];
const largestTableBytes = 16_384;

interface Answer {
  fields?: string[];
  block?: string;
}

/** Returns the Python with hpack, which is installed at first use, or the reason why it is missing. */
export function findPython(): { python: string } | { missing: string } {
  const python = join(environment, "bin/python");
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", environment]],
    [
      python,
      ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", join(folder, "requirements.txt")],
    ],
  ];
  if (existsSync(python) && spawnSync(python, ["-c", "import hpack"]).status === 0) return { python };
  for (const [command, args] of steps) {
    const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (status !== 0) return { missing: `${command} ${args[1]}: ${error?.message ?? stderr.trim()}` };
  }
  return { python };
}

/** Returns the number of lists in each direction. */
export async function compareWithPython(python: string, seed: number): Promise<number> {
  const random = new RandomLists(seed);
  const peer = new Peer(python);
  const encoder = new HpackEncoder(largestTableBytes);
  const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 1 << 20, maxFields: 1000 });
  const target = new Uint8Array(1 << 16);
  try {
    for (let at = 0; at < lists; at++) {
      if (at % resizeEvery === 0) {
        const tableBytes = tableSizes[random.below(tableSizes.length)] as number;
        await peer.ask({ tableBytes });
        encoder.setPeerMaxTableBytes(tableBytes);
        decoder.setMaxTableBytes(tableBytes);
      }
      const ours = random.fields();
      const end = encoder.encode(ours, target, 0);
      const { fields } = await peer.ask({ decode: Buffer.from(target.subarray(0, end)).toString("hex") });
      assert.deepEqual(fields, ours, `list ${at} of seed ${seed}, to Python`);

      const theirs = random.fields();
      const { block } = await peer.ask({ encode: theirs, huffman: random.below(2) === 0 });
      const bytes = Buffer.from(block as string, "hex");
      assert.deepEqual(
        decoder.decode(bytes, 0, bytes.length).fields,
        theirs,
        `list ${at} of seed ${seed}, from Python`,
      );
    }
  } finally {
    peer.end();
  }
  return lists;
}

class Peer {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;

  constructor(python: string) {
    this.child = spawn(python, [join(folder, "python_peer.py")]);
    this.child.stderr.pipe(process.stderr);
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async ask(order: object): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(order)}\n`);
    const line = await this.lines.next();
    if (line.done) throw new Error("Python has ended");
    return JSON.parse(line.value) as Answer;
  }

  end(): void {
    this.child.stdin.end();
  }
}
