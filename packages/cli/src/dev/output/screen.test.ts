import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { Output } from "../../frame/output.ts";
import { Screen } from "./screen.ts";

interface FakeTerminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** What a person would see, line by line. */
  shown(): string[];
  raw(): string;
}

/** Both streams on one terminal that knows what the screen uses of it. */
function terminal({ columns = 40, isTerminal = true } = {}): FakeTerminal {
  let raw = "";
  const stream = () =>
    Object.assign(
      new Writable({
        decodeStrings: false,
        write(chunk, _encoding, done) {
          raw += chunk;
          done();
        },
      }),
      isTerminal ? { isTTY: true, columns } : {},
    );
  return {
    stdout: new Output(stream()),
    stderr: new Output(stream()),
    raw: () => raw,
    shown() {
      const lines: string[] = [];
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a terminal obeys
      for (const part of raw.split(/(\r\u001b\[\d+A\u001b\[J|\n)/)) {
        const up = /(\d+)A/.exec(part)?.[1];
        if (part.startsWith("\r\u001b[") && up !== undefined) lines.splice(lines.length - Number(up));
        else if (part !== "\n" && part !== "") lines.push(part);
      }
      return lines;
    },
  };
}

/** Lines are written soon, not at once. */
async function written(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 40));
}

describe("a screen", () => {
  it("keeps its status below the lines that scroll", async () => {
    const fake = terminal();
    let status = ["user   starting", "order  starting"];
    const screen = new Screen(fake, () => status);
    screen.log("one");
    await written();
    status = ["user   serving", "order  starting"];
    screen.refresh();
    screen.note("two");
    screen.log("three");
    await written();
    assert.deepEqual(fake.shown(), ["one", "two", "three", "user   serving", "order  starting"]);
    screen.close();
    assert.deepEqual(fake.shown(), ["one", "two", "three"]);
  });

  it("draws nothing where nothing has changed", async () => {
    const fake = terminal();
    const screen = new Screen(fake, () => ["user  serving"]);
    screen.refresh();
    await written();
    const before = fake.raw();
    screen.refresh();
    await written();
    assert.equal(fake.raw(), before);
    screen.close();
  });

  it("cuts a status that would wrap, since it could not be erased", async () => {
    const fake = terminal({ columns: 10 });
    const screen = new Screen(fake, () => ["user  not serving: the database is away"]);
    screen.refresh();
    await written();
    assert.deepEqual(fake.shown(), ["user  no…"]);
    screen.close();
  });

  it("is plain without a terminal: lines, and nothing that moves a cursor", async () => {
    const fake = terminal({ isTerminal: false });
    const screen = new Screen(fake, () => ["user  serving"]);
    screen.log("one");
    screen.refresh();
    screen.note("two");
    await written();
    screen.close();
    screen.note("after the end");
    assert.equal(fake.raw(), "one\ntwo\nafter the end\n");
  });
});
