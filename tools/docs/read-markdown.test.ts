import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readMarkdown } from "./read-markdown.ts";

describe("readMarkdown", () => {
  it("returns each fenced block with its marks and its first line", () => {
    const { snippets } = readMarkdown(
      "# A\n\n```ts run\nlet a = 1;\n\nlet b;\n```\ntext\n~~~sh\nls\n~~~\n````md\n```\n````\n",
    );
    assert.deepEqual(snippets, [
      { marks: ["ts", "run"], text: "let a = 1;\n\nlet b;", line: 4 },
      { marks: ["sh"], text: "ls", line: 10 },
      { marks: ["md"], text: "```", line: 13 },
    ]);
  });

  it("ends an unclosed block at the end of the page", () => {
    assert.deepEqual(readMarkdown("```sh\nls").snippets, [{ marks: ["sh"], text: "ls", line: 2 }]);
  });

  it("finds links in text and in definitions, but not in code", () => {
    const { links } = readMarkdown(
      'see [a](a.md) and ![b](b.png "title"), `[no](no.md)`\n\n[c]: c.md#part\n```\n[no](no.md)\n```\n[d](<d.md>)',
    );
    assert.deepEqual(links, [
      { target: "a.md", line: 1 },
      { target: "b.png", line: 1 },
      { target: "c.md#part", line: 3 },
      { target: "d.md", line: 7 },
    ]);
  });

  it("names headings as GitHub does", () => {
    const { anchors } = readMarkdown(
      "# One `two` & three!\n## [Four](x.md)\n## Four\n### a_b-c #\n```\n# no\n```\n#no",
    );
    assert.deepEqual([...anchors], ["one-two--three", "four", "four-1", "a_b-c"]);
  });
});
