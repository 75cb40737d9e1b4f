import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTarMessage } from "./tar-messages.ts";

function warningOf(line: string): string {
  const message = parseTarMessage(line);
  assert.equal(message.kind, "warning", line);
  return message.kind === "warning" ? `${message.warning.reason} ${message.warning.path.toString("latin1")}` : "";
}

describe("parseTarMessage", () => {
  for (const [line, expected] of [
    ["tar: ./a/b: file changed as we read it", "FILE_CHANGED a/b"],
    ["tar: ./a: File shrank by 1 byte; padding with zeros", "FILE_CHANGED a"],
    ["tar: ./a: File removed before we read it", "FILE_GONE a"],
    ["tar: ./a: Cannot stat: No such file or directory", "FILE_GONE a"],
    ["tar: ./a: Cannot open: Permission denied", "UNREADABLE a"],
    ["tar: ./a: Cannot open: Too many levels of symbolic links", "UNREADABLE a"],
    ["tar: ./a: Read error at byte 0, while reading 512 bytes: Input/output error", "UNREADABLE a"],
    ["tar: ./s: socket ignored", "SOCKET_SKIPPED s"],
    ["tar: ./a: Warning: Cannot llistxattrat: Operation not permitted", "METADATA_LOST a"],
    ["tar: ./x: Cannot open: y: Cannot open: Permission denied", "UNREADABLE x: Cannot open: y"],
    ["tar: ./a\\nb\\\\\\303\\274: Cannot open: Permission denied", "UNREADABLE a\nb\\Ã¼"],
    ["tar: .: file changed as we read it", "FILE_CHANGED "],
    ["tar: ./: file changed as we read it", "FILE_CHANGED "],
  ] as const) {
    it(`reads ${line}`, () => assert.equal(warningOf(line), expected));
  }

  it("says what a warning means in its text", () => {
    const message = parseTarMessage("tar: ./a: Cannot open: Permission denied");
    assert.equal(message.kind === "warning" && message.warning.message, "cannot be read: permission denied");
  });

  it("tells the line at the end from failures", () => {
    assert.equal(parseTarMessage("tar: Exiting with failure status due to previous errors").kind, "summary");
    assert.deepEqual(parseTarMessage("tar: memory exhausted"), { kind: "failure", text: "memory exhausted" });
  });
});
