import { digest, FrameText, frameHeaderBytes, type Mask } from "./frame-text.ts";

/** The sender: `>` is the side under test, `<` its peer. */
export type Direction = ">" | "<";

/** RFC 9113 §3.4. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Above this number of frames in one write or chunk, only the first and last ones are shown. Repeated frames count as one. */
const maxShown = 24;
const shownAtEnds = 4;

interface Repeated {
  readonly text: string;
  times: number;
}

interface Half {
  readonly text: FrameText;
  rest: Buffer;
}

/**
 * Records a connection as text: one line for each frame, and an empty line before each write to the socket and each chunk from the peer. Splits
 * frames itself, so that it does not depend on the engine's reader and writer.
 */
export class Transcript {
  /** Hides bytes that differ between versions. Must be added before the first frame. */
  readonly masks: Mask[] = [];
  private readonly parts: Transcript[] = [];
  private readonly paragraphs: Repeated[] = [];
  private halves = this.newHalves();

  /** Adds a comment. */
  note(text: string): void {
    add(this.paragraphs, `# ${text}`);
  }

  /** Starts the record of another connection. */
  connection(title: string): void {
    add(this.paragraphs, `== ${title}`);
    this.halves = this.newHalves();
  }

  /** Creates the transcript of a concurrent connection, which is shown after this one. */
  part(title: string): Transcript {
    const part = new Transcript();
    part.masks.push(...this.masks);
    part.connection(title);
    this.parts.push(part);
    return part;
  }

  /** Records one write to the socket, of one or more buffers. */
  write(direction: Direction, buffers: readonly Uint8Array[]): void {
    const lines = buffers.length > 1 ? [`${direction} a write of ${buffers.length} buffers`] : [];
    lines.push(...framesOf(direction, this.halves[direction], Buffer.concat(buffers)));
    add(this.paragraphs, lines.join("\n"));
  }

  /** Records an event of the socket, such as its end. */
  event(direction: Direction, what: string): void {
    add(this.paragraphs, `${direction} ${what}`);
  }

  toString(): string {
    const paragraphs = this.paragraphs.map(({ text, times }) => {
      return times === 1 ? text : `${text}\n  (${times} times the same, one after the other)`;
    });
    return [`${paragraphs.join("\n\n")}\n`, ...this.parts].join("\n");
  }

  private newHalves(): Record<Direction, Half> {
    const half = (): Half => ({ text: new FrameText(this.masks), rest: Buffer.alloc(0) });
    return { ">": half(), "<": half() };
  }
}

/** Formats the bytes that one direction sends at once. */
function framesOf(direction: Direction, half: Half, added: Buffer): string[] {
  const bytes = Buffer.concat([half.rest, added]);
  const lines: string[] = [];
  const frames: Repeated[] = [];
  let at = 0;
  if (bytes.subarray(0, preface.length).equals(preface)) {
    lines.push(`${direction} the client's preface`);
    at = preface.length;
  }
  while (bytes.length - at >= frameHeaderBytes) {
    const end = at + frameHeaderBytes + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const text = half.text.of({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      // Includes the reserved bit, which must be visible.
      streamId: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + frameHeaderBytes, end),
    });
    add(frames, text);
    at = end;
  }
  lines.push(...shownFrames(direction, frames));
  half.rest = bytes.subarray(at);
  if (half.rest.length > 0) lines.push(`${direction} ${half.rest.length} bytes of a frame that is not complete`);
  return lines;
}

/** Replaces the middle of many frames with its digest. */
function shownFrames(direction: Direction, frames: Repeated[]): string[] {
  const middle = frames.length > maxShown ? frames.splice(shownAtEnds, frames.length - 2 * shownAtEnds) : [];
  const lines = frames.map(({ text, times }) => {
    const [line, ...meaning] = text.split("\n");
    return [`${direction} ${line}${times === 1 ? "" : ` × ${times}`}`, ...meaning].join("\n");
  });
  if (middle.length > 0) {
    const hidden = middle.map(({ text, times }) => `${text} × ${times}`).join("\n");
    lines.splice(shownAtEnds, 0, `${direction} … ${middle.length} more: sha256 ${digest(hidden)}`);
  }
  return lines;
}

function add(list: Repeated[], text: string): void {
  const last = list.at(-1);
  if (last?.text === text) last.times++;
  else list.push({ text, times: 1 });
}
