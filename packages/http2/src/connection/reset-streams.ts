/** How many streams that we reset are remembered, and for how long: frames that crossed our RST_STREAM are no offence. */
const remembered = 64;
const rememberMs = 1000;

/** The streams that we reset last, and when. */
export class ResetStreams {
  private readonly ids = new Array<number>(remembered).fill(0);
  private readonly atMs = new Array<number>(remembered).fill(0);
  private next = 0;

  remember(id: number, nowMs: number): void {
    const known = this.ids.indexOf(id);
    if (known !== -1) {
      this.atMs[known] = nowMs;
      return;
    }
    this.ids[this.next] = id;
    this.atMs[this.next] = nowMs;
    this.next = (this.next + 1) % remembered;
  }

  /** Whether this stream was reset so lately that the peer may not know of it yet. */
  isRecent(id: number, nowMs: number): boolean {
    const at = this.ids.indexOf(id);
    return at !== -1 && nowMs - (this.atMs[at] as number) <= rememberMs;
  }
}
