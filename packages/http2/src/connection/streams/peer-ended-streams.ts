const remembered = 64;

/** The streams that the peer ended last, and how. What it sends on them, it has sent knowing that they were over. */
export class PeerEndedStreams {
  private readonly ids = new Array<number>(remembered).fill(0);
  private readonly wasReset = new Array<boolean>(remembered).fill(false);
  private next = 0;

  remember(id: number, how: "end" | "reset"): void {
    this.ids[this.next] = id;
    this.wasReset[this.next] = how === "reset";
    this.next = (this.next + 1) % remembered;
  }

  /** Undefined: the peer did not end this stream, or long ago. */
  howEnded(id: number): "end" | "reset" | undefined {
    const at = this.ids.indexOf(id);
    if (at === -1) return undefined;
    return this.wasReset[at] ? "reset" : "end";
  }
}
