/** Places for streams that several connections share, taken as long as a stream is open or its handler runs. */
export class SharedStreamLimit {
  taken = 0;
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get isFull(): boolean {
    return this.taken >= this.max;
  }
}
